import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SEED, Generator, STATE_BYTES } from '../src'
import manualSeed from './vectors/manual-seed.json' with { type: 'json' }
import stream from './vectors/torch-stream.json' with { type: 'json' }

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (array: Int32Array | Float32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const seeds = ['0', '1', '-1', '1099511627783', '18446744073709551615', '-9223372036854775808'] as const

describe.each(seeds)('the stream of manual_seed(%s), against PyTorch', (seed) => {
  const expected = stream[seed]

  it('reports the initial seed', () => {
    expect(new Generator(BigInt(seed)).initialSeed).toBe(BigInt(expected.initial))
  })

  it('starts in the same state', () => {
    expect(sha256(new Generator(BigInt(seed)).state())).toBe(expected.state_fresh)
  })

  it('draws the same uniform_, random_ and randperm, and ends in the same state', () => {
    const generator = new Generator(BigInt(seed))
    expect([...generator.uniform(new Float32Array(5), -0.3, 0.7)]).toEqual(expected.u)
    expect(sha256(generator.state())).toBe(expected.state5)
    expect([1, 2, 3].map(() => String(generator.randomInt64()))).toEqual(expected.i64)
    expect([...generator.randperm(10)]).toEqual(expected.perm)
    expect(sha256(bytesOf(generator.randperm(700)))).toBe(expected.perm700)
    expect(sha256(generator.state())).toBe(expected.state_end)
  })
})

describe.each(manualSeed)('the reference program with seed $seed, $samples samples', (reference) => {
  it('draws every initial tensor and every shuffled order to the bit', () => {
    const generator = new Generator(reference.seed)
    for (const tensor of Object.values(reference.init)) {
      const shape: number[] = tensor.shape
      const values = generator.uniform(
        new Float32Array(shape.reduce((a, b) => a * b, 1)),
        -bound(reference),
        bound(reference),
      )
      expect(sha256(bytesOf(values))).toBe(tensor.sha256)
    }
    for (const epoch of reference.epochs) {
      generator.randomInt64() // the iterator's base seed
      const order = generator.fork().randperm(reference.samples)
      expect([...order.slice(0, 16)]).toEqual(epoch.first16)
      expect(sha256(bytesOf(order))).toBe(epoch.sha256_of_int32_order)
    }
  })
})

describe('Generator', () => {
  it('takes PyTorch’s default seed when it is given none', () => {
    const generator = new Generator()
    expect(generator.initialSeed).toBe(DEFAULT_SEED)
    expect(String(DEFAULT_SEED)).toBe(stream.default.initial)
    expect([...generator.uniform(new Float32Array(3))]).toEqual(stream.default.u)
  })

  it('has PyTorch’s state at the edge of a twist and one draw past it', () => {
    const generator = new Generator(5)
    generator.uniform(new Float32Array(624))
    expect(sha256(generator.state())).toBe(stream.b624)
    generator.random()
    expect(sha256(generator.state())).toBe(stream.b625)
  })

  it('draws 64 bits as two draws of 32, the high half first', () => {
    const [wide, narrow] = [new Generator(3), new Generator(3)]
    const [high, low] = [narrow.random(), narrow.random()]
    expect(wide.random64()).toBe((BigInt(high) << 32n) | BigInt(low))
  })

  it('goes on from any state as the generator it was taken from', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }), fc.nat(2000), (seed, draws) => {
        const original = new Generator(seed)
        for (let i = 0; i < draws; i++) original.random()
        const restored = new Generator(1).setState(original.state())
        expect([restored.random64(), restored.initialSeed]).toEqual([original.random64(), original.initialSeed])
      }),
      { numRuns: 50 },
    )
  })

  it('makes a permutation of 0 … n−1 for every n', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(), (n, seed) => {
        expect([...new Generator(seed).randperm(n)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        )
      }),
    )
  })

  it('draws the beginning of the interval where a number rounds up to its end, as PyTorch 2.15 does', () => {
    // torch.manual_seed(7); torch.empty(12).uniform_(1e7, 1e7 + 3)
    const expected = [2, 1, 2, 2, 1, 1, 1, 2, 1, 0, 0, 2].map((last) => 1e7 + last)
    expect([...new Generator(7).uniform(new Float32Array(12), 1e7, 1e7 + 3)]).toEqual(expected)
  })

  it('keeps uniform draws inside [from, to]', () => {
    const values = new Generator(9).uniform(new Float32Array(10_000), -0.25, 0.5)
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.25)
    expect(Math.max(...values)).toBeLessThan(0.5)
  })

  it('leaves its own stream two draws further by a fork, however much the fork draws', () => {
    const [forked, plain] = [new Generator(7), new Generator(7)]
    forked.fork().randperm(1000)
    plain.random64()
    expect(forked.random()).toBe(plain.random())
  })

  it('copies itself without moving', () => {
    const generator = new Generator(11)
    const copy = generator.clone()
    expect(copy.random()).toBe(generator.random())
  })
})

describe('Generator refuses', () => {
  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1n << 64n, -(1n << 63n) - 1n])('the seed %s', (seed) => {
    expect(() => new Generator(seed)).toThrow(expect.objectContaining({ code: 'SEED_INVALID' }))
  })

  it.each(['1', '', true, null, {}])('the seed %j, which only JavaScript lets through', (seed) => {
    expect(() => new Generator(seed as number)).toThrow(expect.objectContaining({ code: 'SEED_INVALID' }))
  })

  it.each([-1, 1.5, 214_748_364, Number.NaN])('randperm of %s', (n) => {
    expect(() => new Generator().randperm(n)).toThrow(expect.objectContaining({ code: 'RANDOM_RANGE' }))
  })

  it.each([
    [1, 0],
    [-3e38, 3e38],
    [0, Number.POSITIVE_INFINITY],
    [Number.NaN, 1],
  ])('uniform from %s to %s', (from, to) => {
    expect(() => new Generator().uniform(new Float32Array(1), from, to)).toThrow(
      expect.objectContaining({ code: 'RANDOM_RANGE' }),
    )
  })

  it.each([new Float64Array(4), [0, 0], 5, null])('to fill %s', (out) => {
    const refused = expect.objectContaining({ code: 'RANDOM_RANGE' })
    expect(() => new Generator().uniform(out as never)).toThrow(refused)
    expect(() => new Generator().normal(out as never)).toThrow(refused)
  })

  it('a state of another length, naming both lengths', () => {
    expect(() => new Generator().setState(new Uint8Array(10))).toThrow(/10 bytes.*5056/)
  })

  it('a state with impossible counters or words, and keeps its own', () => {
    const generator = new Generator(4)
    const before = generator.state()
    const counters = generator.state().fill(0xff, 8, 12)
    const words = generator.state().fill(0xff, 24, 32)
    expect(() => generator.setState(counters)).toThrow(expect.objectContaining({ code: 'GENERATOR_STATE' }))
    expect(() => generator.setState(words)).toThrow(/word 0/)
    expect(() => generator.setState(new Uint8Array(STATE_BYTES))).toThrow(/counters/)
    expect(generator.state()).toEqual(before)
  })
})

/** The bound of every draw in the reference network: 1/√H for the LSTM, and for the linear layer that reads its H outputs. */
function bound({ config }: { config: { h?: number } }): number {
  return 1 / Math.sqrt(config.h ?? 64)
}
