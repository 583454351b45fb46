import {
  type Batch,
  type Column,
  concat,
  type Dataset,
  type Samples,
  split,
  subset,
  TensorDataset,
} from '@rowwise/data'
import { Generator } from '@rowwise/torch-random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** A data set whose sample n is n, with a target of its square. */
const numbers = (length: number): Dataset => new TensorDataset(counted(length))
const counted = (length: number): Samples => ({
  inputs: { data: Float32Array.from({ length }, (_, n) => n), shape: [length] },
  targets: { data: Int32Array.from({ length }, (_, n) => n * n), shape: [length] },
})

/** The numbers of all samples, in order. */
const all = (dataset: Dataset): number[] =>
  read(
    dataset,
    Int32Array.from({ length: dataset.length }, (_, n) => n),
  )
const read = (dataset: Dataset, indices: Int32Array): number[] => {
  const { inputs } = dataset.get(indices) as Samples
  return [...(inputs as { data: Float32Array }).data]
}

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('TensorDataset', () => {
  it('gathers samples of any kind and shape', () => {
    const dataset = new TensorDataset({
      inputs: {
        bytes: { data: Uint8Array.from({ length: 12 }, (_, n) => n), shape: [3, 2, 2] },
        words: { sequences: [Int32Array.of(1), Int32Array.of(2, 3), Int32Array.of(4, 5, 6)], stepShape: [] },
      },
      targets: { data: Float64Array.of(0.5, 1.5, 2.5), shape: [3, 1] },
    })
    expect(dataset.get(Int32Array.of(2, 0))).toEqual({
      inputs: {
        bytes: { data: Uint8Array.of(8, 9, 10, 11, 0, 1, 2, 3), shape: [2, 2, 2] },
        words: { sequences: [Int32Array.of(4, 5, 6), Int32Array.of(1)], stepShape: [] },
      },
      targets: { data: Float64Array.of(2.5, 0.5), shape: [2, 1] },
    })
  })

  it.each<[string, object, RegExp]>([
    [
      'inputs and targets of different lengths',
      { ...counted(3), targets: counted(2).targets },
      /inputs has 3 samples, targets 2/,
    ],
    [
      'a shape that does not fit',
      { ...counted(3), inputs: { data: new Float32Array(5), shape: [3, 2] } },
      /inputs has shape \[3,2\], 6 numbers, but 5/,
    ],
    [
      'an array of numbers',
      { ...counted(3), inputs: { data: [1, 2, 3], shape: [3] } },
      /data is an array; make a typed one/,
    ],
    ['a tensor', { ...counted(3), inputs: { dataId: {}, shape: [3] } }, /expected a typed array and its shape/],
    ['no sample', counted(0), /has no sample/],
    [
      'an empty sequence',
      { ...counted(1), inputs: { sequences: [new Float32Array(0)], stepShape: [2] } },
      /sequence 0 has 0 numbers/,
    ],
    [
      'half a step',
      { ...counted(1), inputs: { sequences: [new Float32Array(3)], stepShape: [2] } },
      /sequence 0 has 3 numbers, expected/,
    ],
    ['no inputs', { ...counted(1), inputs: {} }, /expected \{ data, shape \}/],
  ])('refuses %s', (_, samples, message) => {
    expect(() => new TensorDataset(samples as Samples)).toThrow(refused('DATASET_INVALID', message))
  })
})

describe('subset', () => {
  it('is a range, or chosen samples in their order', () => {
    expect(all(subset(numbers(9), 2, 5))).toEqual([2, 3, 4])
    expect(all(subset(subset(numbers(9), 2, 9), [6, 0, 0]))).toEqual([8, 2, 2])
  })

  it.each<[unknown[], RegExp]>([
    [[3, 3], /subset 3 … 3 of 5/],
    [[0, 6], /expected 0 <= start < end <= 5/],
    [[[1, 5]], /there is no sample 5/],
    [[[0.5]], /there is no sample 0.5/],
    [[[]], /of no sample/],
  ])('refuses %j of 5', (range, message) => {
    const [chosen, end] = range as [number, number]
    expect(() => subset(numbers(5), chosen, end)).toThrow(refused('LOADER_OPTION', message))
  })
})

describe('split', () => {
  it('cuts as torch.utils.data.random_split with the same generator', () => {
    const parts = split(numbers(10), [0.6, 0.25, 0.15], new Generator(0))
    expect(parts.map(all)).toEqual(PYTORCH_SPLIT)
  })

  it('has every sample in one part', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (lengths, seed) => {
          const total = lengths.reduce((sum, length) => sum + length, 0)
          const parts = split(numbers(total), lengths, new Generator(seed))
          expect(parts.map(({ length }) => length)).toEqual(lengths)
          expect(parts.flatMap(all).sort((a, b) => a - b)).toEqual(all(numbers(total)))
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each([[[5, 6]], [[0.5, 0.4]], [[10, 0]], [[]]])('refuses %j of 10', (parts) => {
    expect(() => split(numbers(10), parts, new Generator(0))).toThrow(refused('LOADER_OPTION', /of 10 samples/))
  })
})

describe('concat', () => {
  it('has the samples of one after those of the other', () => {
    const both = concat([subset(numbers(9), 0, 2), subset(numbers(9), 5, 8)])
    expect([both.length, all(both), read(both, Int32Array.of(4, 0, 2))]).toEqual([5, [0, 1, 5, 6, 7], [7, 0, 5]])
  })

  it('takes data sets that read their samples only then', async () => {
    const later: Dataset = { length: 2, get: async (indices) => numbers(2).get(indices) }
    const { inputs } = await concat([numbers(3), later]).get(Int32Array.of(4, 1))
    expect(inputs).toEqual({ data: Float32Array.of(1, 1), shape: [2] })
  })

  it('refuses samples of different shapes', () => {
    const wide = new TensorDataset({
      inputs: { data: new Float32Array(4), shape: [2, 2] },
      targets: counted(2).targets,
    })
    expect(() => concat([numbers(2), wide]).get(Int32Array.of(0, 3))).toThrow(
      refused('DATASET_INVALID', /inputs of one data set are numbers of \[\], of another numbers of \[2\]/),
    )
  })

  const labelled = (
    labels: Column['data'],
    inputs: Column['data'] | Float32Array[] = new Float32Array(labels.length),
  ) =>
    new TensorDataset({
      inputs: Array.isArray(inputs) ? { sequences: inputs, stepShape: [] } : { data: inputs, shape: [inputs.length] },
      targets: { data: labels, shape: [labels.length] },
    })
  const joined = (...datasets: TensorDataset[]) =>
    concat<Batch>(datasets as unknown as Dataset<Batch>[]).get(Int32Array.of(0, 1, 2, 3)) as Samples

  it('keeps whole numbers of different kinds as they are', () => {
    const { targets } = joined(labelled(Uint8Array.of(1, 2)), labelled(Int32Array.of(300, -100)))
    expect(targets).toEqual({ data: Int32Array.of(1, 2, 300, -100), shape: [4] })
  })

  it.each<[string, TensorDataset, RegExp]>([
    [
      'floating-point numbers',
      labelled(Float32Array.of(0.5, 1)),
      /targets .* Uint8Array and Float32Array; convert them/,
    ],
    [
      'sequences',
      labelled(Uint8Array.of(1, 2), [Float32Array.of(1), Float32Array.of(2)]),
      /inputs .* of another sequences/,
    ],
    [
      'inputs by name',
      new TensorDataset({
        inputs: { x: { data: Float32Array.of(1, 2), shape: [2] } },
        targets: { data: Uint8Array.of(1, 2), shape: [2] },
      }) as unknown as TensorDataset,
      /inputs of one data set are numbers of \[\], of another not there/,
    ],
  ])('does not make %s of whole numbers in one array, or the other way around', (_, other, message) => {
    expect(() => joined(labelled(Uint8Array.of(1, 2)), other)).toThrow(refused('DATASET_INVALID', message))
  })
})

/** Of PyTorch 2.15: random_split(range(10), [0.6, 0.25, 0.15], torch.Generator().manual_seed(0)). */
const PYTORCH_SPLIT: number[][] = [[4, 1, 7, 5, 3, 9, 0], [8, 6], [2]]
