import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { type Column, DataLoader, padSequences, sequenceLengths, TensorDataset } from '@rowwise/data'
import * as tf from '@tensorflow/tfjs-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { numbers } from './numbers'

beforeEach(async () => {
  await tf.setBackend('cpu')
})

describe('a batch', () => {
  it.each(['cpu', 'wasm'])('of fractions is float32, of whole numbers int32, on the %s backend', async (backend) => {
    await tf.setBackend(backend)
    const loader = new DataLoader(
      new TensorDataset({
        inputs: { a: { data: Float64Array.of(0.5, 1), shape: [2, 1] }, b: { data: Uint16Array.of(1, 2), shape: [2] } },
        targets: { data: Int8Array.of(-1, 1), shape: [2] },
      }),
    )
    const seen: unknown[] = []
    for (const { inputs, targets } of loader) {
      const { a, b } = inputs as Record<string, tf.Tensor>
      seen.push(...[a, b, targets].map((tensor) => [tensor.dtype, tensor.shape, [...tensor.dataSync()]]))
    }
    expect(seen).toEqual([
      ['float32', [2, 1], [0.5, 1]],
      ['int32', [2], [1, 2]],
      ['int32', [2], [-1, 1]],
    ])
  })

  it('of sequences is filled up to the longest, with their lengths', () => {
    const loader = new DataLoader(
      new TensorDataset({
        inputs: { sequences: [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)], stepShape: [2] },
        targets: { sequences: [Int32Array.of(1, 2), Int32Array.of(0)], stepShape: [] },
      }),
    )
    for (const { inputs, targets } of loader) {
      const { inputs: values, lengths } = inputs
      expect(values.arraySync()).toEqual([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [0, 0],
        ],
      ])
      expect([lengths, targets.dtype, targets.arraySync()]).toEqual([
        Int32Array.of(2, 1),
        'int32',
        [
          [1, 2],
          [0, -100],
        ],
      ])
    }
  })

  it('of sequences has lengths that can be asked for beforehand', async () => {
    const sequences = Array.from({ length: 1500 }, (_, n) => new Float32Array(2 * (1 + (n % 7))))
    const targets = { data: new Int32Array(1500), shape: [1500] }
    const found = await sequenceLengths(new TensorDataset({ inputs: { sequences, stepShape: [2] }, targets }))
    expect([...found]).toEqual(sequences.map(({ length }) => length / 2))
    await expect(sequenceLengths(numbers(2))).rejects.toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }))
  })

  it('is filled up with what one asks for', () => {
    const sequences = { sequences: [Float32Array.of(1), Float32Array.of(2, 3)], stepShape: [] }
    const samples = { inputs: sequences, targets: sequences }
    const loader = new DataLoader(new TensorDataset(samples), { collate: padSequences({ value: 9, target: -1 }) })
    for (const { inputs, targets } of loader) {
      const { inputs: values } = inputs
      expect([values.arraySync(), targets.arraySync()]).toEqual([
        [
          [1, 9],
          [2, 3],
        ],
        [
          [1, -1],
          [2, 3],
        ],
      ])
    }
  })

  it('of sequences of numbers as targets is not filled up with what every loss would count', () => {
    const of = (...lengths: number[]) => ({
      sequences: lengths.map((length) => new Float32Array(length)),
      stepShape: [],
    })
    const loader = (lengths: number[]) =>
      new DataLoader(new TensorDataset({ inputs: of(...lengths), targets: of(...lengths) }), { batchSize: 2 })
    expect(() => [...loader([3, 2])]).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(/losses would count/) }),
    )
    expect([...loader([2, 2, 3])]).toHaveLength(2)
  })

  it('is what a collate and a transform of one’s own make', () => {
    const doubled = ({ data, shape }: Column): Column => ({ data: Float32Array.from(data, (x) => 2 * x), shape })
    const loader = new DataLoader(numbers(2), {
      transform: doubled,
      collate: ({ inputs }) => ({
        inputs: tf.tensor1d((inputs as Column).data as Float32Array),
        targets: tf.tensor1d([7]),
      }),
    })
    for (const { inputs, targets } of loader) expect([inputs.arraySync(), targets.arraySync()]).toEqual([[0, 2], [7]])
  })

  it('lives until the next one, its parts too', async () => {
    const before = tf.memory().numTensors
    const sequences = { sequences: [Float32Array.of(1), Float32Array.of(2)], stepShape: [] }
    const dataset = new TensorDataset({ inputs: { a: sequences, b: sequences }, targets: sequences })
    for await (const _ of new DataLoader(dataset, { batchSize: 1 })) expect(tf.memory().numTensors).toBe(before + 3)
    expect(tf.memory().numTensors).toBe(before)
  })
})
