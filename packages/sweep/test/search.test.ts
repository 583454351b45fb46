import { readFileSync } from 'node:fs'
import { choice, int, isRowwiseError, logUniform, replaySweep, type Sweep, uniform } from '@rowwise/sweep'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const sobol = JSON.parse(readFileSync(new URL('./fixtures/sobol.json', import.meta.url), 'utf8'))

const base: Sweep = {
  name: 'a',
  space: { x: uniform(0, 1) },
  search: { type: 'random', trials: 5 },
  objective: { metric: 'loss', better: 'lower' },
}

/** The configurations that a sweep tries, by running it with a loss of nothing. */
function configurations(sweep: Sweep) {
  const outcomes = Array.from({ length: 200 }, (_, k) => outcome(`${k}@${sweep.epochs ?? 1}`, 0))
  return replaySweep(sweep, outcomes)
    .rows.sort((one, other) => one.trial - other.trial)
    .map(({ config }) => config)
}

function outcome(key: string, loss: number) {
  const value = { metrics: { loss } }
  return { key, status: 'done' as const, value, reason: null, attempts: 1, seconds: 0, worker: 'w' }
}

describe('a search space', () => {
  it('gives values of its dimensions', () => {
    const dimension = fc.oneof(
      fc
        .uniqueArray(fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1 })
        .map(choice),
      fc.tuple(fc.integer(), fc.nat(100)).map(([low, more]) => int(low, low + more)),
      fc.tuple(fc.integer(), fc.integer({ min: 1 })).map(([low, more]) => uniform(low, low + more)),
      fc
        .tuple(fc.integer({ min: 1 }), fc.integer({ min: 1 }))
        .map(([low, more]) => logUniform(low / 1e4, low / 1e4 + more)),
    )
    fc.assert(
      fc.property(dimension, fc.nat(), fc.constantFrom('random' as const, 'sobol' as const), (d, seed, type) => {
        for (const { d: value } of configurations({ ...base, space: { d }, search: { type, trials: 20 }, seed })) {
          if ('choice' in d) expect(d.choice).toContain(value)
          else {
            const [low, high] = Object.values(d)[0]
            expect(value).toBeGreaterThanOrEqual(low)
            expect(value).toBeLessThanOrEqual(high)
            if ('int' in d) expect(Number.isInteger(value)).toBe(true)
          }
        }
      }),
    )
  })

  it('draws a logarithm evenly', () => {
    const found = configurations({ ...base, space: { lr: logUniform(1e-4, 1) }, search: { type: 'sobol', trials: 64 } })
    const below = found.filter(({ lr }) => Number(lr) < 1e-2).length
    expect(below).toBe(32)
  })

  it.each([
    [{ lr: { logUniform: [0, 1] } }, 'space.lr'],
    [{ lr: { uniform: [1, 1] } }, 'space.lr'],
    [{ lr: { int: [0.5, 3] } }, 'space.lr'],
    [{ lr: { choice: [] } }, 'space.lr'],
    [{ lr: { choice: [1, 1] } }, 'different values'],
    [{ lr: { normal: [0, 1] } }, 'space.lr'],
    [{ lr: 0.1 }, 'space.lr'],
    [{ '../lr': { int: [0, 1] } }, "'.'"],
    [{}, 'space is {}'],
  ])('refuses %j', (space, words) => {
    expect(() => replaySweep({ ...base, space }, [])).toThrow(
      expect.objectContaining({ code: 'SWEEP_DEFINITION', message: expect.stringContaining(words) }),
    )
  })
})

describe('a sweep', () => {
  it.each([
    [{ search: { type: 'bayes', trials: 3 } }, 'search is'],
    [{ search: { type: 'random' } }, 'search.trials is undefined'],
    [{ search: { type: 'random', trials: 3, eta: 3 } }, "search has no 'eta'"],
    [{ search: { type: 'halving', trials: 3, minEpochs: 5 }, epochs: 4 }, 'search.minEpochs is 5'],
    [{ objective: { metric: 'loss', better: 'less' } }, 'objective is'],
    [{ name: 'a/b' }, 'name is "a/b"'],
    [{ seed: -1 }, 'seed is -1'],
    [{ epoch: 3 }, "no 'epoch'"],
    [{ search: { type: 'grid' } }, 'no end of values'],
  ])('with %j is refused', (change, words) => {
    const attempt = () => replaySweep({ ...base, ...change }, [])
    expect(attempt).toThrow(words)
    try {
      attempt()
    } catch (error) {
      expect(isRowwiseError(error)).toBe(true)
    }
  })
})

describe('a grid', () => {
  it('tries every combination once, the last name fastest', () => {
    const space = { a: choice(['x', 'y']), b: int(1, 3) }
    expect(configurations({ ...base, space, search: { type: 'grid' } }).map(({ a, b }) => `${a}${b}`)).toEqual([
      'x1',
      'x2',
      'x3',
      'y1',
      'y2',
      'y3',
    ])
  })
})

describe('a random search', () => {
  it('does not depend on the order in which dimensions are written', () => {
    const [x, y] = [uniform(0, 1), int(1, 9)]
    expect(configurations({ ...base, space: { x, y } })).toEqual(configurations({ ...base, space: { y, x } }))
  })

  it('is the same for the same seed and another for another', () => {
    const of = (seed: number) => configurations({ ...base, seed })
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
  })
})

describe('Sobol points', () => {
  it.each(sobol.engines as { dimensions: number; seed: number; points: number[][] }[])(
    'are those of torch.quasirandom.SobolEngine in $dimensions dimensions',
    ({ dimensions, seed, points }) => {
      const space = Object.fromEntries(
        Array.from({ length: dimensions }, (_, k) => [`x${String(k).padStart(2, '0')}`, uniform(0, 1)]),
      )
      const found = configurations({ ...base, space, seed, search: { type: 'sobol', trials: points.length } })
      const [first, ...rest] = found.map((config) => Object.values(config).map(Number))
      expect([first.map(Math.fround), ...rest]).toEqual(points) // PyTorch keeps its first point as float32
    },
  )
})

describe('halving', () => {
  const sweep: Sweep = { ...base, search: { type: 'halving', trials: 27, pending: 1 }, epochs: 9 }
  const lossOf = (number: number, epochs: number) => number + 10 / epochs

  /** Runs it with so many machines, each of which takes as long as it likes. */
  function run(definition: Sweep, order: (ready: number) => number) {
    const outcomes: ReturnType<typeof outcome>[] = []
    const waiting: string[] = []
    let state = replaySweep(definition, outcomes)
    const seen = new Set<string>()
    while (!state.complete) {
      for (const key of state.openKeys) {
        if (seen.has(key)) continue
        seen.add(key)
        waiting.push(key)
      }
      const [key] = waiting.splice(order(waiting.length), 1)
      const [number, epochs] = key.split('@').map(Number)
      outcomes.push(outcome(key, lossOf(number, epochs)))
      state = replaySweep(definition, outcomes)
    }
    return { state, keys: outcomes.map(({ key }) => key).sort() }
  }

  it('trains all a little, a third of them further, and a ninth in full', () => {
    const { state } = run(sweep, () => 0)
    const byEpochs = (epochs: number) => state.rows.filter((row) => row.epochs === epochs).length
    expect([byEpochs(1), byEpochs(3), byEpochs(9)].reduce((a, b) => a + b)).toBe(27)
    expect(byEpochs(9)).toBeGreaterThanOrEqual(3)
    expect(byEpochs(1)).toBeGreaterThanOrEqual(9)
    expect(state.best?.trial).toBe(0)
  })

  it('decides the same in whatever order outcomes come', () => {
    const definition: Sweep = { ...sweep, search: { type: 'halving', trials: 27, pending: 6 } }
    const first = run(definition, () => 0).keys
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1000)), (numbers) => {
        const stream = numbers[Symbol.iterator]()
        expect(run(definition, (ready) => Number(stream.next().value) % ready).keys).toEqual(first)
      }),
      { numRuns: 20 },
    )
  })

  it('never promotes a trial that failed', () => {
    const failed = { status: 'failed' as const, value: null, reason: 'no' }
    const outcomes = Array.from({ length: 27 }, (_, k) => ({ ...outcome(`${k}@1`, 0), ...failed }))
    const state = replaySweep(sweep, outcomes)
    expect(state.complete).toBe(true)
    expect(state.rows.every(({ status, epochs }) => status === 'failed' && epochs === 1)).toBe(true)
    expect(state.best).toBeNull()
  })
})
