import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { forgetHostValues, hostValues, keepHostValues, readValues } from '../src'

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
