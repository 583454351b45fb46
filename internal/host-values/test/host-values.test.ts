import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  changeLent,
  endLoan,
  forgetHostValues,
  hostTensor,
  hostValues,
  keepHostValues,
  lentTensor,
  readIntegers,
  readValues,
  stampOf,
} from '../src'

beforeAll(() => tf.setBackend('wasm'))

describe('host values', () => {
  it('are read in the place of a copy out of the backend', () => {
    const array = Float32Array.of(1, 2)
    const tensor = tf.tensor(array)
    keepHostValues(tensor, array)
    expect(readValues(tensor)).toBe(array)
  })

  it('go with the data: a reshaped view has them, a computed tensor has not', () => {
    const array = Float32Array.of(1, 2)
    const tensor = tf.tensor(array)
    keepHostValues(tensor, array)
    expect(hostValues(tf.reshape(tensor, [2, 1]))).toBe(hostValues(tensor))
    expect(readValues(tf.mul(tensor, 2))).toEqual(Float32Array.of(2, 4))
  })

  it('are those of the backend again once they are forgotten', () => {
    const array = Float32Array.of(1, 2)
    const tensor = tf.tensor(array)
    keepHostValues(tensor, array)
    forgetHostValues(tensor)
    array.fill(0)
    expect(readValues(tensor)).toEqual(Float32Array.of(1, 2))
  })

  it('are shared by every copy of this module in the process', async () => {
    const other = await import(`${new URL('../src/index.ts', import.meta.url)}?copy`)
    const tensor = tf.tensor([3])
    const array = Float32Array.of(3)
    other.keepHostValues(tensor, array)
    expect(hostValues(tensor)).toBe(array)
  })
})

describe('a host tensor', () => {
  const leakless = <Result>(work: () => Result): Result => {
    const before = tf.memory()
    const result = work()
    expect([tf.memory().numTensors, tf.memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers])
    return result
  }

  it('takes part in operations, views and variables like any other', () => {
    leakless(() => {
      const tensor = hostTensor(Float32Array.of(1, 2, 3, 4), [2, 2]) as tf.Tensor2D
      const found = tf.tidy(() => ({
        sum: tf.sum(tensor).dataSync()[0],
        view: [...tf.transpose(tf.reshape(tensor, [4, 1]) as tf.Tensor2D).dataSync()],
      }))
      expect(found).toEqual({ sum: 10, view: [1, 2, 3, 4] })
      const variable = tf.variable(tensor)
      tensor.dispose()
      expect([...variable.dataSync()]).toEqual([1, 2, 3, 4])
      variable.dispose()
    })
  })

  it('hands out copies: who writes into what was read changes nothing', async () => {
    const array = Float32Array.of(1, 2)
    const tensor = hostTensor(array, [2])
    tensor.dataSync().fill(9)
    ;(await tensor.data()).fill(9)
    expect([...array]).toEqual([1, 2])
    tensor.dispose()
  })

  it('is int32 when its array is', () => {
    const tensor = hostTensor(Int32Array.of(3, 4), [2])
    expect([tensor.dtype, [...readIntegers(tensor)], tf.neg(tensor).dtype]).toEqual(['int32', [3, 4], 'int32'])
    tensor.dispose()
  })

  it('of lent values keeps those it had when the loan ends, wherever it lies by then', () => {
    const array = Float32Array.of(1, 2)
    const [stayed, moved] = [lentTensor(array, [2]), lentTensor(array, [2])]
    tf.square(moved).dispose()
    for (const tensor of [stayed, moved]) endLoan(tensor)
    array.fill(7)
    expect([[...readValues(stayed)], [...readValues(moved)]]).toEqual([
      [1, 2],
      [1, 2],
    ])
    tf.dispose([stayed, moved])
  })

  it('goes over to another backend with its values', async () => {
    const tensor = hostTensor(Float32Array.of(5), [1])
    await tf.setBackend('cpu')
    try {
      expect([...tf.mul(tensor, 2).dataSync()]).toEqual([10])
    } finally {
      await tf.setBackend('wasm')
    }
  })
})

describe('changing lent values', () => {
  const lentTo = (array: Float32Array): tf.Variable => {
    const variable = tf.variable(tf.zeros([array.length]))
    changeLent(variable, array, () => {})
    return variable
  }

  it('changes a variable where its values lie, under another stamp', () => {
    const array = Float32Array.of(1, 2)
    const variable = lentTo(array)
    const before = { dataId: variable.dataId, stamp: stampOf(variable) }
    changeLent(variable, array, () => array.fill(3))
    expect([...variable.dataSync()]).toEqual([3, 3])
    expect(variable.dataId).toBe(before.dataId)
    expect(stampOf(variable)).not.toBe(before.stamp)
    variable.dispose()
  })

  it.each<[string, (variable: tf.Variable) => tf.Tensor]>([
    ['a clone', (variable) => tf.clone(variable)],
    ['a reshaped view', (variable) => tf.reshape(variable, [2, 1])],
    ['another variable', (variable) => tf.variable(variable)],
  ])('leaves %s that was made before as it was', (_name, share) => {
    const array = Float32Array.of(1, 2)
    const variable = lentTo(array)
    const shared = share(variable)
    changeLent(variable, array, () => array.fill(3))
    expect([[...readValues(shared)], [...shared.dataSync()], [...variable.dataSync()]]).toEqual([
      [1, 2],
      [1, 2],
      [3, 3],
    ])
    tf.dispose([shared, variable])
  })

  it('shows in what operations of the backend read, before and after', () => {
    const array = Float32Array.of(1, 2)
    const variable = lentTo(array)
    const sum = (): number => tf.tidy(() => tf.sum(variable).dataSync()[0])
    const found = [sum()]
    changeLent(variable, array, () => array.fill(3))
    expect([...found, sum()]).toEqual([3, 6])
    variable.dispose()
  })

  it('leaves no tensor behind, nor one to a scope that ends', () => {
    const array = Float32Array.of(1)
    const before = tf.memory()
    const variable = tf.tidy(() => lentTo(array))
    tf.tidy(() => changeLent(variable, array, () => array.fill(2)))
    expect([...variable.dataSync()]).toEqual([2])
    variable.dispose()
    const { numTensors, numDataBuffers, numBytes } = tf.memory()
    expect({ numTensors, numDataBuffers, numBytes }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      numBytes: before.numBytes,
    })
  })
})
