import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { bucketSampler, DataLoader, type DataLoaderOptions, type Dataset, type Samples, TensorDataset } from '../src'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const column = (rows: number, data: Float32Array | Uint8Array | Uint32Array = new Float32Array(rows)) => ({
  data,
  shape: [rows],
})
const batchesOf = (dataset: Dataset, options: DataLoaderOptions = {}) => [...new DataLoader(dataset, options)]
const givingBatches = (get: (indices: Int32Array) => unknown, options: DataLoaderOptions = {}) =>
  batchesOf({ length: 8, get: get as Dataset['get'] }, { batchSize: 4, ...options })

describe('a data set of one’s own', () => {
  it.each([
    ['nothing', () => undefined, /a batch of the data set's get\(\) is undefined, expected \{ inputs, targets \}/],
    ['fewer samples than indices', () => ({ inputs: column(1), targets: column(1) }), /gave 1 samples, expected 4/],
    ['more inputs than targets', () => ({ inputs: column(4), targets: column(2) }), /inputs has 4 samples, targets 2/],
    [
      'data and a shape that do not fit',
      () => ({ inputs: { data: new Float32Array(2), shape: [4, 1] }, targets: column(4) }),
      /inputs has shape \[4,1\], 4 numbers, but 2 numbers of data/,
    ],
  ])('that gives %s is refused', (_, get, message) => {
    expect(() => givingBatches(get)).toThrow(message)
  })

  it('whose promise gives something else is refused too', async () => {
    const dataset: Dataset = { length: 4, get: async () => ({ inputs: column(3), targets: column(3) }) }
    const read = async () => {
      for await (const _ of new DataLoader(dataset));
    }
    await expect(read()).rejects.toThrow(/gave 3 samples, expected 4/)
  })
})

describe('a data set that says where its samples are', () => {
  const located = (samples: Samples, indices = Int32Array.of(0, 1, 2, 3)) =>
    batchesOf({ length: 4, get: () => samples, locate: () => ({ samples, indices }) })

  it.each([
    [
      'fewer targets than inputs',
      () => located({ inputs: column(4), targets: column(2) }),
      /inputs has 4 samples, targets 2/,
    ],
    [
      'data and a shape that do not fit',
      () => located({ inputs: { data: new Float32Array(3), shape: [4] }, targets: column(4) }),
      /inputs has shape \[4\], 4 numbers, but 3 numbers of data/,
    ],
    [
      'other samples than those that were asked for',
      () => located({ inputs: column(4), targets: column(4) }, Int32Array.of(0)),
      /locate\(\) gave 1 indices, expected 4/,
    ],
  ])('is refused when it has %s', (_, read, message) => {
    expect(read).toThrow(message)
  })
})

describe('a collation of one’s own', () => {
  it('may read samples of other counts, such as targets one after the other', () => {
    const dataset: Dataset = { length: 2, get: () => ({ inputs: column(2), targets: column(6) }) }
    const collate = ({ targets }: Samples) => ({
      inputs: tf.zeros([2]),
      targets: tf.tensor((targets as { data: Float32Array }).data),
    })
    const shapes = batchesOf(dataset, { collate }).map(({ targets }) => targets.shape)
    expect(shapes).toEqual([[6]])
  })
})

describe('a batch that is refused', () => {
  it.each<[string, Samples, DataLoaderOptions]>([
    ['targets are', { inputs: column(2), targets: column(2, Uint32Array.of(1, 3_000_000_000)) }, {}],
    [
      'a collation is',
      { inputs: column(2), targets: column(2) },
      { collate: () => ({ inputs: tf.ones([2]) }) as never },
    ],
  ])('leaves no tensor behind where its %s', (_, samples, options) => {
    const before = tf.memory().numTensors
    expect(() => batchesOf(new TensorDataset(samples), options)).toThrow()
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('what a loader is given', () => {
  const dataset = new TensorDataset({ inputs: column(8), targets: column(8) })

  it.each([
    ['a generator that is none', { shuffle: true, generator: 0 }, /generator is 0, expected new Generator/],
    ['a sampler that is none', { sampler: [1, 2] }, /sampler is no \{ samples, draw \}/],
    [
      'a sampler that draws too few',
      { sampler: { samples: () => 8, draw: () => new Int32Array(3) } },
      /3 indices, .*8/,
    ],
    ['a sampler that draws no array', { sampler: { samples: () => 8, draw: () => [0] } }, /no Int32Array/],
    ['a collation that waits', { collate: async () => ({}) }, /collate gave a promise/],
    ['a collation that gives nothing', { collate: () => undefined }, /collate gave no such thing/],
    ['a transform that gives nothing', { transform: () => undefined }, /inputs is undefined, expected/],
    ['a transform that drops samples', { transform: () => column(1) }, /inputs has 1 samples, targets 8/],
  ])('is refused when it is %s', (_, options, message) => {
    expect(() => batchesOf(dataset, options as unknown as DataLoaderOptions)).toThrow(message)
  })
})

describe('whole numbers that int32 cannot hold', () => {
  const large = Uint32Array.of(1, 3_000_000_000)
  it.each([
    ['an array', { inputs: column(2), targets: column(2, large) }],
    ['sequences', { inputs: { sequences: [large.slice(0, 1), large.slice(1)], stepShape: [] }, targets: column(2) }],
  ])('are refused in %s', (_, samples) => {
    expect(() => batchesOf(new TensorDataset(samples as Samples))).toThrow(/3000000000 does not fit into int32/)
  })

  it('are refused as inputs of one’s own data set', () => {
    const get = () => ({ inputs: column(2, large), targets: column(2) })
    expect(() => batchesOf({ length: 2, get })).toThrow(/3000000000 does not fit/)
  })
})

describe('inputs that are several sequences', () => {
  const sequences = (...lengths: number[]) => ({
    sequences: lengths.map((length) => new Float32Array(length)),
    stepShape: [] as number[],
  })
  const lengthsOf = (inputs: Samples['inputs']) => {
    const [batch] = batchesOf(new TensorDataset({ inputs, targets: column(2) }))
    return (batch.inputs as { lengths: unknown }).lengths
  }

  it('have their lengths by name', () => {
    expect(lengthsOf({ premise: sequences(2, 1), hypothesis: sequences(1, 3) })).toEqual({
      premise: Int32Array.of(2, 1),
      hypothesis: Int32Array.of(1, 3),
    })
  })

  it('have those of the only one, and of `inputs` where others are as long', () => {
    expect(lengthsOf({ text: sequences(2, 1), other: column(2) })).toEqual(Int32Array.of(2, 1))
    expect(lengthsOf({ inputs: sequences(2, 1), mask: sequences(2, 1) })).toEqual(Int32Array.of(2, 1))
  })

  it('are refused when those of `inputs` are not those of others', () => {
    expect(() => lengthsOf({ inputs: sequences(2, 1), mask: sequences(2, 3) })).toThrow(
      /sample 1 of a batch has 1 steps of inputs, 3 of mask/,
    )
  })

  it('leave no tensor behind when the targets are refused', () => {
    const targets = { sequences: [new Float32Array(1), new Float32Array(2)], stepShape: [] }
    const before = tf.memory().numTensors
    expect(() => batchesOf(new TensorDataset({ inputs: sequences(2, 1), targets }))).toThrow(/different lengths/)
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('bucketSampler', () => {
  it('leaves out other samples each epoch when the last batch is dropped, not always the longest', () => {
    const lengths = Array.from({ length: 26 }, (_, k) => k + 1)
    const [sampler, generator] = [bucketSampler({ lengths }), new Generator(0)]
    const seen = new Set<number>()
    for (let epoch = 0; epoch < 30; epoch++) for (const k of sampler.draw(26, generator, 4).subarray(0, 24)) seen.add(k)
    expect(seen.size).toBe(26)
  })
})
