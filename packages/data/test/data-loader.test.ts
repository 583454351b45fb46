import '@tensorflow/tfjs-backend-cpu'
import {
  bucketSampler,
  DataLoader,
  type Dataset,
  randomSampler,
  type Sampler,
  sequentialSampler,
  type TensorBatch,
  TensorDataset,
  weightedSampler,
} from '@rowwise/data'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { numbers } from './numbers'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** The same, read when it is asked for. */
const later = (length: number, log: number[] = []): Dataset<TensorBatch> => ({
  length,
  async get(indices) {
    log.push(indices[0])
    await null
    return numbers(length).get(indices)
  },
})

const epoch = async (loader: DataLoader<TensorBatch>): Promise<number[][]> => {
  const batches: number[][] = []
  for await (const { inputs } of loader) batches.push([...(await inputs.data())])
  return batches
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'LOADER_OPTION', message: expect.stringMatching(message) })

describe('the order', () => {
  const epochs = async (sampler: Sampler | undefined, options: object = {}) => {
    const loader = new DataLoader(numbers(8), { batchSize: 3, sampler, generator: new Generator(3), ...options })
    return [await epoch(loader), await epoch(loader)]
  }

  it('is that of PyTorch’s DataLoader with shuffle, and with a WeightedRandomSampler', async () => {
    expect(await epochs(undefined, { shuffle: true })).toEqual(PYTORCH.shuffle)
    expect(await epochs(randomSampler())).toEqual(PYTORCH.shuffle)
    const weights = [0.1, 2, 0, 3, 0.5, 1, 1, 0.2]
    expect(await epochs(weightedSampler({ weights, numSamples: 10 }))).toEqual(PYTORCH.weighted)
  })

  it('is that of the data set without, or with a sequential sampler', async () => {
    const inOrder = [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ]
    expect(await epochs(undefined)).toEqual([inOrder, inOrder])
    expect(await epochs(sequentialSampler())).toEqual([inOrder, inOrder])
  })

  it('of buckets has every sample once, and lengths that differ little within a batch', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 90 }),
        fc.nat(),
        (lengths, seed) => {
          const order = bucketSampler({ lengths }).draw(lengths.length, new Generator(seed), 4)
          expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, n) => n))
          // What fills no batch comes last, and is of any length.
          const full = order.length - (order.length % 4)
          const sorted = Array.from(order.subarray(0, full), (n) => lengths[n]).sort((a, b) => a - b)
          const span = (values: number[]) => Math.max(...values) - Math.min(...values)
          for (let start = 0; start < full; start += 4) {
            const batch = [...order.subarray(start, start + 4)].map((n) => lengths[n])
            const at = sorted.indexOf(Math.min(...batch))
            expect(span(batch)).toBeLessThanOrEqual(
              span(sorted.slice(at, at + 4 + sorted.filter((l) => l === sorted[at]).length)),
            )
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  it('goes on from a state with any sampler, and with a data set that is read only then', async () => {
    const lengths = Array.from({ length: 11 }, (_, n) => (7 * n) % 5)
    const samplers = [
      randomSampler(),
      weightedSampler({ weights: lengths }),
      bucketSampler({ lengths, batchesPerBucket: 2 }),
    ]
    for (const sampler of samplers) {
      const make = () => new DataLoader(later(11), { batchSize: 2, sampler, generator: new Generator(5) })
      const [whole, cut, resumed] = [make(), make(), make()]
      const expected = [await epoch(whole), await epoch(whole)]
      const iterator = cut[Symbol.asyncIterator]()
      for (let step = 0; step < 3; step++) await iterator.next()
      resumed.restore(structuredClone(cut.state()))
      expect([await epoch(resumed), await epoch(resumed)]).toEqual([expected[0].slice(3), expected[1]])
    }
  })

  it('goes on the same where the generator is set or drawn from after the state was restored, as a checkpoint does', async () => {
    const make = (generator: Generator) => new DataLoader(numbers(8), { batchSize: 1, shuffle: true, generator })
    const expected = await epoch(make(new Generator(0)))
    const cut = make(new Generator(0))
    const iterator = cut[Symbol.iterator]()
    for (let step = 0; step < 3; step++) iterator.next()
    const state = cut.state()
    for (const disturb of [
      (generator: Generator) => generator.setState(state.generator as Uint8Array),
      (generator: Generator) => generator.randperm(5),
    ]) {
      const generator = new Generator(9)
      const resumed = make(generator)
      resumed.restore(state)
      disturb(generator)
      expect(await epoch(resumed)).toEqual(expected.slice(3))
    }
  })
})

describe('a data set that reads its samples when they are asked for', () => {
  it('has the next batches read ahead', async () => {
    const log: number[] = []
    const loader = new DataLoader(later(10, log), { batchSize: 2, prefetch: 2 })
    const iterator = loader[Symbol.asyncIterator]()
    await iterator.next()
    expect(log).toEqual([0, 2, 4])
    expect(loader.state().batchesDone).toBe(1)
    await iterator.return?.()
  })

  it('is refused by a loop that does not wait', () => {
    expect(() => [...new DataLoader(later(3))]).toThrow(refused(/use for await/))
  })

  it('passes its error on when its turn comes', async () => {
    const dataset: Dataset<TensorBatch> = {
      length: 6,
      async get(indices) {
        if (indices[0] === 2) throw new Error('a file is gone')
        return numbers(6).get(indices)
      },
    }
    const seen: number[] = []
    const run = async () => {
      for await (const { inputs } of new DataLoader(dataset, { batchSize: 2 })) seen.push(inputs.dataSync()[0])
    }
    await expect(run()).rejects.toThrow('a file is gone')
    expect(seen).toEqual([0])
  })
})

describe('a sampler of one’s own', () => {
  it('is refused a sample that is not there', async () => {
    const sampler: Sampler = { samples: () => 2, draw: () => Int32Array.of(0, 8) }
    await expect(epoch(new DataLoader(numbers(8), { sampler }))).rejects.toThrow(
      refused(/the sampler drew sample 8 of 8, counted from 0/),
    )
  })
})

describe('what cannot be is refused', () => {
  const sequences = new TensorDataset({
    inputs: { sequences: [Float32Array.of(1)], stepShape: [] },
    targets: { data: new Int32Array(1), shape: [1] },
  })
  it.each<[string, () => unknown, RegExp]>([
    [
      'shuffle beside a sampler',
      () => new DataLoader(numbers(2), { shuffle: true, generator: new Generator(0), sampler: randomSampler() }),
      /leave one out/,
    ],
    ['a negative prefetch', () => new DataLoader(numbers(2), { prefetch: -1 }), /prefetch is -1/],
    [
      'a sampler without a generator',
      () => [...new DataLoader(numbers(2), { sampler: randomSampler() })],
      /has no generator/,
    ],
    [
      'weights of other samples',
      () => [
        ...new DataLoader(numbers(2), { sampler: weightedSampler({ weights: [1] }), generator: new Generator(0) }),
      ],
      /1 weights, the data set 2 samples/,
    ],
    ['a negative weight', () => weightedSampler({ weights: [1, -1] }), /weight 1 is -1/],
    ['weights that are all 0', () => weightedSampler({ weights: [0, 0] }), /all weights are 0/],
    [
      'lengths of other samples',
      () => [...new DataLoader(numbers(2), { sampler: bucketSampler({ lengths: [1] }), generator: new Generator(0) })],
      /1 lengths/,
    ],
    [
      'a table for numbers that are no bytes',
      () => [...new DataLoader(numbers(2), { transform: new Float32Array(256) })],
      /table for bytes/,
    ],
    [
      'a transform of sequences',
      () => [...new DataLoader(sequences, { transform: (inputs) => inputs })],
      /is for one array of inputs/,
    ],
    [
      'a collate by its name',
      () => new DataLoader(numbers(2), { collate: 'pad' as never }),
      /collate is not a function/,
    ],
    [
      'a data set without samples',
      () => new DataLoader({ ...numbers(1), length: 0, get: () => ({}) as never }),
      /of 0 samples/,
    ],
  ])('%s', (_, use, message) => {
    expect(use).toThrow(refused(message))
  })
})

/** Of PyTorch 2.15 after manual_seed(3): DataLoader over 8 samples, batch_size 3, two epochs. */
const PYTORCH = {
  shuffle: [
    [
      [2, 1, 6],
      [5, 0, 4],
      [3, 7],
    ],
    [
      [7, 6, 0],
      [5, 1, 3],
      [4, 2],
    ],
  ],
  weighted: [
    [[3, 5, 1], [5, 3, 1], [3, 3, 5], [1]],
    [[3, 3, 6], [1, 1, 3], [6, 1, 4], [3]],
  ],
}
