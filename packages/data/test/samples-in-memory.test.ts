import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import {
  type Column,
  DataLoader,
  type Dataset,
  type Samples,
  subset,
  type TensorBatch,
  TensorDataset,
} from '@rowwise/data'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { numbers } from './numbers'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('samples in memory', () => {
  /** What a loader hands out of some samples, all batches in a row. */
  const handedOut = async (dataset: Dataset<TensorBatch>, options: object = {}) => {
    const rows: { inputs: number[]; targets: number[]; shape: number[] }[] = []
    for await (const { inputs, targets } of new DataLoader<TensorBatch>(dataset, { batchSize: 3, ...options })) {
      const [values, expected] = [await inputs.data(), await targets.data()]
      rows.push({ inputs: [...values], targets: [...expected], shape: inputs.shape })
    }
    return rows
  }
  /** The same samples, of which a loader knows only `get`. */
  const hidden = (dataset: Dataset<TensorBatch>): Dataset<TensorBatch> => ({
    length: dataset.length,
    get: (indices) => dataset.get(indices),
  })
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 2 - 1)

  it('are the same whether the loader knows where they lie or only asks for them', async () => {
    const problem = fc.record({
      size: fc.constantFrom(1, 3, 4, 16, 48, 130, 784),
      length: fc.integer({ min: 1, max: 8 }),
      offset: fc.integer({ min: 0, max: 5 }),
      isFloat: fc.boolean(),
      isTable: fc.boolean(),
      seed: fc.integer({ min: 0, max: 99 }),
    })
    await fc.assert(
      fc.asyncProperty(problem, async ({ size, length, offset, isFloat, isTable, seed }) => {
        const generator = new Generator(seed)
        const draw = () => (generator.random() % 3 ? 0 : generator.random() % 256)
        const bytes = new Uint8Array(offset + length * size).subarray(offset) // not always at a whole word
        bytes.set(Uint8Array.from(bytes, draw))
        const data = isFloat && !isTable ? Float32Array.from(bytes, (byte) => byte / 3) : bytes
        const targets = { data: Int16Array.from({ length }, (_, n) => -n), shape: [length] }
        const dataset = new TensorDataset({ inputs: { data, shape: [length, size] }, targets })
        const options = (): object => ({
          ...{ shuffle: true, generator: new Generator(seed), ...(isTable && { transform: table }) },
        })
        expect(await handedOut(dataset, options())).toEqual(await handedOut(hidden(dataset), options()))
      }),
    )
  })

  it('keep their place in a part of a part', async () => {
    const dataset = numbers(9)
    const part = subset(subset(dataset, [8, 1, 4, 2, 0]), 1, 4)
    expect(part.locate?.(Int32Array.of(2, 0))).toEqual({ samples: dataset.samples, indices: Int32Array.of(2, 1) })
    expect(await handedOut(part)).toEqual(await handedOut(hidden(part)))
    expect((await handedOut(part))[0].inputs).toEqual([1, 4, 2])
  })

  const tenfold = (samples: Samples): Samples => {
    const { data, shape } = samples.inputs as Column
    return { ...samples, inputs: { data: Float32Array.from(data, (value) => 10 * value), shape } }
  }

  it('are those of `get` in a class that has another', async () => {
    class Tenfold extends TensorDataset {
      override get(indices: Int32Array): Samples {
        return tenfold(super.get(indices))
      }
    }
    const dataset = new Tenfold(numbers(4).samples) as Dataset<TensorBatch>
    expect((await handedOut(dataset)).map(({ inputs }) => inputs)).toEqual([[0, 10, 20], [30]])
    expect((await handedOut(subset(dataset, 1, 4)))[0].inputs).toEqual([10, 20, 30])
  })

  it('are those of `get` in a copy of a part that has another', async () => {
    const part = subset(numbers(4), 1, 4)
    const copy = { ...part, get: (indices: Int32Array) => tenfold(part.get(indices) as Samples) }
    expect((await handedOut(copy))[0].inputs).toEqual([10, 20, 30])
  })

  it('are shown as a copy to a transform that is a function, and to a collation', async () => {
    const dataset = numbers(3)
    const spoil = (inputs: Column): Column => {
      inputs.data.fill(7)
      return inputs
    }
    expect((await handedOut(dataset, { transform: spoil }))[0].inputs).toEqual([7, 7, 7])
    const collate = ({ inputs, targets }: Samples) => ({
      inputs: tf.tensor1d([...spoil(inputs as Column).data]),
      targets: tf.tensor1d([...(targets as Column).data], 'int32'),
    })
    expect((await handedOut(dataset, { collate }))[0].inputs).toEqual([7, 7, 7])
    expect((await handedOut(dataset))[0].inputs).toEqual([0, 1, 2])
  })
})
