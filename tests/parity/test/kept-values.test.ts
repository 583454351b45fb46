import '@rowwise/train-loop'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { fusedLinear, recurrent } from '@rowwise/rnn-kernels'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'

const draw = (seed: number, ...shape: number[]) =>
  tf.tensor(new Generator(seed).uniform(new Float32Array(shape.reduce((a, b) => a * b)), -1, 1), shape)

/** Outputs and gradients of one pass, as tensors. */
function pass(seed: number): tf.Tensor[] {
  const inputs = draw(seed, 4, 3, 5) as tf.Tensor3D
  const weights = [draw(seed + 1, 24, 5), draw(seed + 2, 24, 6)]
  const forward = (weightIh: tf.Tensor, weightHh: tf.Tensor) =>
    recurrent(inputs, { weightIh: weightIh as tf.Tensor2D, weightHh: weightHh as tf.Tensor2D }, { cell: 'lstm' })
  const gradients = tf.grads((weightIh, weightHh) => forward(weightIh, weightHh).h)(weights)
  const { h, c, output } = forward(weights[0], weights[1])
  return [h, c as tf.Tensor, output as tf.Tensor, ...gradients]
}

const valuesOf = (tensors: tf.Tensor[]) => tensors.map((tensor) => Array.from(tensor.dataSync()))

describe.each(['wasm', 'cpu'])('on the %s backend', (backend) => {
  it('tensors of a pass keep their values when other passes use the kernels’ memory', async () => {
    await tf.setBackend(backend)
    const first = pass(1)
    const before = valuesOf(first)
    pass(10)
    pass(20)
    expect(valuesOf(first)).toEqual(before)
    expect(valuesOf(first.map((tensor) => tf.mul(tensor, 1)))).toEqual(before)
  })

  it('a gradient by what an earlier pass computed is of that, whatever ran before it was taken', async () => {
    await tf.setBackend(backend)
    const weights = { weightIh: draw(5, 24, 5) as tf.Tensor2D, weightHh: draw(6, 24, 6) as tf.Tensor2D }
    const encode = (inputs: tf.Tensor) => recurrent(inputs as tf.Tensor3D, weights, { cell: 'lstm' }).h
    const gradient = (between: () => void) => {
      let encoded = tf.scalar(0) as tf.Tensor
      tf.grad((inputs) => {
        encoded = tf.keep(encode(inputs))
        return encoded
      })(draw(1, 4, 3, 5))
      const ofWeight = tf.grad((weight) => {
        const outputs = fusedLinear(encoded as tf.Tensor2D, weight as tf.Tensor2D)
        between()
        return outputs
      })
      return Array.from(ofWeight(draw(7, 2, 6)).dataSync())
    }
    expect(gradient(() => encode(draw(2, 4, 3, 5)))).toEqual(gradient(() => {}))
  })

  it('two linear layers in a row have the gradients that TensorFlow.js computes', async () => {
    await tf.setBackend(backend)
    const operands = [draw(1, 9, 6), draw(2, 8, 6), draw(3, 5, 8)] as tf.Tensor2D[]
    const fused = (x: tf.Tensor, first: tf.Tensor, second: tf.Tensor) =>
      fusedLinear(fusedLinear(x as tf.Tensor2D, first as tf.Tensor2D), second as tf.Tensor2D)
    const plain = (x: tf.Tensor, first: tf.Tensor, second: tf.Tensor): tf.Tensor =>
      tf.matMul(tf.matMul(x as tf.Tensor2D, first as tf.Tensor2D, false, true), second as tf.Tensor2D, false, true)
    const numbers = (layers: typeof plain) => {
      const { value, grads } = tf.valueAndGrads((...all) => tf.sum(tf.square(layers(all[0], all[1], all[2]))))(operands)
      return [value, layers(operands[0], operands[1], operands[2]), ...grads].flatMap((tensor) => [
        ...tensor.dataSync(),
      ])
    }
    tf.test_util.expectArraysClose(numbers(fused), numbers(plain), 1e-3)
  })

  it('a pass reads what an earlier one computed, whatever ran between', async () => {
    await tf.setBackend(backend)
    const chained = (between: () => void) => {
      const [, , output] = pass(1)
      between()
      const { h } = recurrent(
        output as tf.Tensor3D,
        { weightIh: draw(5, 8, 6) as tf.Tensor2D, weightHh: draw(6, 8, 2) as tf.Tensor2D },
        { cell: 'lstm' },
      )
      return Array.from(h.dataSync())
    }
    expect(chained(() => pass(30))).toEqual(chained(() => {}))
  })
})

describe('on the wasm backend', () => {
  it('a pass reads inputs that TensorFlow.js computed, copied or sliced', async () => {
    await tf.setBackend('wasm')
    const weights = { weightIh: draw(5, 8, 6) as tf.Tensor2D, weightHh: draw(6, 8, 2) as tf.Tensor2D }
    const plain = draw(7, 4, 3, 6) as tf.Tensor3D
    const expected = Array.from(recurrent(plain, weights, { cell: 'lstm' }).h.dataSync())
    const twice = tf.concat([tf.zeros([1, 3, 6]), plain]) as tf.Tensor3D
    for (const inputs of [tf.mul(plain, 1), tf.clone(plain), tf.slice(twice, [1, 0, 0], [4, 3, 6])]) {
      expect(Array.from(recurrent(inputs as tf.Tensor3D, weights, { cell: 'lstm' }).h.dataSync())).toEqual(expected)
    }
  })
})
