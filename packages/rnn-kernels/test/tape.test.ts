import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import { Generator } from '@rowwise/torch-random'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { configureKernels, recurrent } from '../src'
import { currentRuntime } from '../src/configure'
import type { Runtime, SavedPass, WantedGradients } from '../src/runtime'

const generator = new Generator(0)
const draw = (...shape: number[]): tf.Tensor =>
  tf.tensor(generator.uniform(new Float32Array(shape.reduce((product, size) => product * size)), -1, 1), shape)

/** What the runtime is asked for beside the weights' gradients, and how many passes are not released, while something runs. */
function watch(action: () => void): { asked: WantedGradients[]; alive: number } {
  const asked: WantedGradients[] = []
  let alive = 0
  const { recurrent: ops } = currentRuntime() as Runtime
  const forward = ops.forward.bind(ops)
  const spy = vi.spyOn(ops, 'forward').mockImplementation((shape, inputs) => {
    const outputs = forward(shape, inputs)
    if (outputs.saved === undefined) return outputs
    alive += 1
    const { backward, release } = outputs.saved
    const saved: SavedPass = {
      backward(upstream, wanted = {}) {
        asked.push(wanted)
        return backward(upstream, wanted)
      },
      release() {
        alive -= 1
        release()
      },
    }
    return { ...outputs, saved }
  })
  try {
    action()
  } finally {
    spy.mockRestore()
  }
  return { asked, alive }
}

let [x, h, c, weightIh, byOutput]: tf.Tensor[] = []
let run: (x: tf.Tensor, h: tf.Tensor, c: tf.Tensor, weightIh: tf.Tensor) => tf.Tensor
beforeAll(async () => {
  await tf.setBackend('wasm')
  configureKernels({ threads: 1 })
  ;[x, h, c, weightIh, byOutput] = [draw(3, 4, 5), draw(3, 2), draw(3, 2), draw(8, 5), draw(3, 4, 2)]
  const weightHh = draw(8, 2) as tf.Tensor2D
  run = (x, h, c, weightIh) => {
    const weights = { weightIh: weightIh as tf.Tensor2D, weightHh }
    const initial = { h: h as tf.Tensor2D, c: c as tf.Tensor2D }
    return recurrent(x as tf.Tensor3D, weights, { cell: 'lstm', initial }).output as tf.Tensor
  }
})

describe('the gradient of recurrent', () => {
  it('with respect to one input alone is the one of all together', () => {
    const all = tf
      .grads(run)([x, h, c, weightIh], byOutput)
      .map((gradient) => gradient.dataSync())
    const alone = [
      tf.grad((x) => run(x, h, c, weightIh))(x, byOutput),
      tf.grad((h) => run(x, h, c, weightIh))(h, byOutput),
      tf.grad((c) => run(x, h, c, weightIh))(c, byOutput),
      tf.grad((weightIh) => run(x, h, c, weightIh))(weightIh, byOutput),
    ].map((gradient) => gradient.dataSync())
    expect(alone).toEqual(all)
  })

  it('costs nothing more for inputs and initial states that nobody asks about', () => {
    const byWeights = () => void tf.grad((weightIh) => run(x, h, c, weightIh))(weightIh, byOutput)
    const byState = () =>
      void tf.grads((h: tf.Tensor, weightIh: tf.Tensor) => run(x, h, c, weightIh))([h, weightIh], byOutput)
    expect([watch(byWeights).asked, watch(byState).asked]).toEqual([
      [{ x: false, initial: false }],
      [{ x: false, initial: true }],
    ])
  })

  it('of a layer that is used twice is the sum of both uses', () => {
    const twice = tf.grad((weightIh) => tf.add(run(x, h, c, weightIh), run(x, h, c, weightIh)))(weightIh, byOutput)
    const once = tf.grad((weightIh) => run(x, h, c, weightIh))(weightIh, byOutput)
    tf.test_util.expectArraysClose(twice.dataSync(), tf.mul(once, 2).dataSync(), 1e-5)
  })
})

describe('what a forward pass keeps', () => {
  const record = () => tf.dispose(tf.grad((weightIh) => run(x, h, c, weightIh))(weightIh, byOutput))
  const forward = () => run(x, h, c, weightIh).dispose()

  it('is free at the next pass once the tape is gone, differentiated or not', () => {
    const unused = () => {
      const gradient = tf.grad((w) => {
        run(x, h, c, w)
        return tf.square(w)
      })
      gradient(weightIh).dispose()
    }
    expect(watch(() => [record(), unused(), record(), forward()]).alive).toBe(0)
  })

  it('stays while its tape does', () => {
    const inside: number[] = []
    const { alive } = watch(() => {
      tf.dispose(
        tf.grad((weightIh) => {
          const outputs = [1, 2, 3].map(() => run(x, h, c, weightIh))
          inside.push(outputs.length)
          return tf.addN(outputs)
        })(weightIh, byOutput),
      )
    })
    expect([inside, alive]).toEqual([[3], 3])
    forward()
  })

  it('is free in the end too where an exception left the tape', () => {
    const fail = () => {
      try {
        tf.grad((weightIh) => {
          run(x, h, c, weightIh)
          throw new Error('stop')
        })(weightIh)
      } catch {}
    }
    const { alive } = watch(() => {
      fail()
      for (let count = 0; count < 10; count++) record()
      forward()
    })
    expect(alive).toBe(0)
  })

  it('leaves no tensor behind', () => {
    record()
    const { numTensors, numDataBuffers } = tf.memory()
    for (let count = 0; count < 5; count++) record()
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers })
  })
})
