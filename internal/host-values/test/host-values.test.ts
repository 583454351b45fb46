import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  copiedTensor,
  filledTensor,
  hostTensor,
  hostValues,
  keepHostValues,
  readIntegers,
  readValues,
  takeOver,
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

describe('a filled tensor', () => {
  it('has what was written, and a copied one the values of then', () => {
    const values = Float32Array.of(1, 2)
    const copied = copiedTensor(values, [2])
    values.fill(0)
    const filled = filledTensor([2, 1], (array) => array.set([3, 4]))
    expect([...copied.dataSync(), ...filled.dataSync(), ...filled.shape]).toEqual([1, 2, 3, 4, 2, 1])
    tf.dispose([copied, filled])
  })

  it('leaves its array to the next one of its size, once it is disposed', () => {
    const first = filledTensor([77], (array) => array.fill(1))
    const array = readValues(first)
    first.dispose()
    const next = copiedTensor(new Float32Array(77), [77])
    expect(readValues(next)).toBe(array)
    next.dispose()
  })

  it.each<[string, (tensor: tf.Tensor) => tf.Tensor]>([
    ['a clone', (tensor) => tf.clone(tensor)],
    ['a reshaped view', (tensor) => tf.reshape(tensor, [3, 1])],
    ['a variable', (tensor) => tf.variable(tensor)],
    ['what another operation computed', (tensor) => tf.mul(tensor, 1)],
  ])('leaves %s as it was when it is disposed and its array may be used again', (_name, share) => {
    const tensor = copiedTensor(Float32Array.of(1, 2, 3), [3])
    const shared = share(tensor)
    tensor.dispose()
    const others = [4, 5].map((value) => copiedTensor(new Float32Array(3).fill(value), [3]))
    expect([[...readValues(shared)], [...shared.dataSync()]]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    tf.dispose([shared, ...others])
  })
})

describe('taking over', () => {
  it('gives a variable other values, and leaves those who had the old ones alone', () => {
    const variable = tf.variable(tf.tensor1d([1, 2]))
    const before = tf.clone(variable)
    takeOver(variable, copiedTensor(Float32Array.of(3, 4), [2]))
    expect([...variable.dataSync(), ...before.dataSync(), ...tf.square(variable).dataSync()]).toEqual([
      3, 4, 1, 2, 9, 16,
    ])
    tf.dispose([variable, before])
  })

  it('leaves no tensor behind, nor one to a scope that ends', () => {
    const before = tf.memory()
    const variable = tf.tidy(() => tf.variable(tf.zeros([1])))
    tf.tidy(() => takeOver(variable, copiedTensor(Float32Array.of(2), [1])))
    tf.tidy(() => takeOver(variable, copiedTensor(Float32Array.of(3), [1])))
    expect([...variable.dataSync()]).toEqual([3])
    variable.dispose()
    const { numTensors, numDataBuffers, numBytes } = tf.memory()
    expect({ numTensors, numDataBuffers, numBytes }).toEqual({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      numBytes: before.numBytes,
    })
  })
})
