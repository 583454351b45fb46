import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Cell } from '../src/cell'
import type { RecurrentShape, Runtime } from '../src/runtime'
import { JsRuntime } from '../src/runtimes/js/js-runtime'
import { ThreadPool } from '../src/runtimes/wasm/threads/pool'
import { recordThreads } from './record-threads'
import { builds, compute, copyOf, differing, instructionSets, nativeRuntime, problem, wasmRuntime } from './runtimes'

const CELLS: Cell[] = ['lstm', 'gru', 'gru_reset_before', 'rnn_tanh', 'rnn_relu']

/** Few rows, and units enough for several threads; steps enough for the inputs' part of several products. */
const shapes = fc.record({
  cell: fc.constantFrom(...CELLS),
  gateActivation: fc.constant('sigmoid' as const),
  batch: fc.integer({ min: 1, max: 8 }),
  time: fc.integer({ min: 2, max: 70 }),
  inputSize: fc.integer({ min: 1, max: 40 }),
  hiddenSize: fc.integer({ min: 150, max: 300 }),
  reverse: fc.boolean(),
})

const runtimes: [string, (threads: number) => Runtime][] = [
  ...builds.map((build): [string, (threads: number) => Runtime] => [build, (threads) => wasmRuntime(build, threads)]),
  ...instructionSets.map((name): [string, (threads: number) => Runtime] => [
    `native ${name}`,
    (threads) => nativeRuntime(name, threads),
  ]),
]

/** What a pass gives that keeps nothing. */
function predict(runtime: Runtime, shape: RecurrentShape, seed: number, hasLengths = false) {
  const { inputs } = problem(shape, seed, hasLengths)
  return copyOf(runtime.recurrent.forward(shape, { ...inputs, save: false }))
}

describe.each(runtimes)('a few rows on %s', (_, make) => {
  const [one, ...more] = [1, 2, 3, 5].map(make)

  it('give the same bits on 1, 2, 3 and 5 threads, kept or not, with and without lengths', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), fc.boolean(), (shape, seed, hasLengths) => {
        const [kept, predicted] = [compute(one, shape, seed, hasLengths), predict(one, shape, seed, hasLengths)]
        expect(differing(kept, predicted)).toEqual([])
        for (const runtime of more) {
          expect(differing(compute(runtime, shape, seed, hasLengths), kept)).toEqual([])
          expect(differing(predict(runtime, shape, seed, hasLengths), predicted)).toEqual([])
        }
      }),
      { numRuns: 12 },
    )
  })

  it('give what float64 arithmetic gives', () => {
    const plain = new JsRuntime()
    fc.assert(
      fc.property(shapes, fc.nat(), fc.boolean(), (shape, seed, hasLengths) => {
        const [found, expected] = [more[0], plain].map((each) => predict(each, shape, seed, hasLengths))
        for (const [name, values] of Object.entries(expected))
          expect(values.every((value, k) => Math.abs(value - found[name][k]) < 1e-4)).toBe(true)
      }),
      { numRuns: 5 },
    )
  })

  it('have the bits that they have among many, and one step after the other', () => {
    const shape = { cell: 'lstm', gateActivation: 'sigmoid', reverse: false, inputSize: 13, hiddenSize: 160 } as const
    const [batch, time] = [21, 9]
    const { inputs } = problem({ ...shape, batch, time }, 3)
    const run = (rows: number, steps: number, from: typeof inputs) =>
      copyOf(make(2).recurrent.forward({ ...shape, batch: rows, time: steps }, { ...from, save: false }))
    const among = run(batch, time, inputs)
    const initial = { h: inputs.initial?.h.slice(0, 160), c: inputs.initial?.c?.slice(0, 160) }
    const alone = run(1, time, { ...inputs, x: inputs.x.slice(0, time * 13), initial } as typeof inputs)
    expect(differing(alone, { h: among.h.slice(0, 160), c: among.c.slice(0, 160) })).toEqual([])
    let state: Record<string, Float32Array> = initial as never
    for (let t = 0; t < time; t++) {
      state = run(1, 1, { ...inputs, x: inputs.x.slice(t * 13, t * 13 + 13), initial: state } as never)
    }
    expect(differing(state, { h: alone.h, c: alone.c })).toEqual([])
  })
})

describe('threads that share the steps of a few rows', () => {
  const shape = { cell: 'lstm', gateActivation: 'sigmoid', reverse: false, ...{ batch: 1, time: 40 } } as const
  const sizes = { ...shape, inputSize: 20, hiddenSize: 256 }
  const started = recordThreads()

  it('are not missed when they are gone: the calling thread computes their shares', async () => {
    const expected = predict(wasmRuntime('simd', 1), sizes, 0)
    const runtime = wasmRuntime('simd', 3)
    expect(differing(predict(runtime, sizes, 0), expected)).toEqual([])
    // The threads end between two passes, and nobody says so before the second one.
    vi.spyOn(ThreadPool.prototype as unknown as { forget(): void }, 'forget').mockImplementation(() => {})
    for (const worker of started.slice(-2)) await worker.terminate()
    expect(differing(predict(runtime, sizes, 0), expected)).toEqual([])
    vi.restoreAllMocks()
  })

  it('give the same numbers when one is lost in the middle of its share', async () => {
    const expected = predict(wasmRuntime('simd', 1), sizes, 0)
    const onLoss = vi.fn()
    const runtime = wasmRuntime('simd', 2, onLoss)
    predict(runtime, sizes, 0)
    vi.spyOn(ThreadPool.prototype as unknown as { forget(): void }, 'forget').mockImplementation(() => {})
    await started.at(-1)?.terminate()
    // The second share counts as taken, by the thread that is no more; waiting for it is cut short.
    const door = ThreadPool.prototype as unknown as { claim(slice: number): boolean; waitFor(slices: number): boolean }
    vi.spyOn(door, 'claim').mockImplementation((slice) => slice === 0)
    vi.spyOn(door, 'waitFor').mockReturnValue(false)
    expect(differing(predict(runtime, sizes, 0), expected)).toEqual([])
    expect(onLoss).toHaveBeenCalledWith('a thread stopped in the middle of a forward pass')
    vi.restoreAllMocks()
  })

  it('are not lost while they go on, however long a pass takes, and whoever has the shares', () => {
    const runtime = wasmRuntime('simd', 3)
    const [clock, now] = [globalThis.performance, globalThis.performance.now.bind(globalThis.performance)]
    const long = { ...sizes, time: 400 }
    const expected = predict(wasmRuntime('simd', 1), long, 0)
    // The clock runs a hundred thousand times faster: every wait is longer than a thread may be silent.
    const begin = now()
    vi.spyOn(clock, 'now').mockImplementation(() => begin + 1e5 * (now() - begin))
    for (let pass = 0; pass < 30; pass++) expect(differing(predict(runtime, long, 0), expected)).toEqual([])
    vi.restoreAllMocks()
    expect(runtime.report().threads).toBe(3)
  })
})
