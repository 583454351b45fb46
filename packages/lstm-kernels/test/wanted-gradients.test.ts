import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { Generator } from '@rowwise/torch-random'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { configureKernels, fusedLSTM } from '../src'
import { currentEngine } from '../src/configure'
import type { LSTMEngine, SavedForward, WantedGradients } from '../src/engine'

const generator = new Generator(0)
const draw = (...shape: number[]): tf.Tensor =>
  tf.tensor(generator.uniform(new Float32Array(shape.reduce((product, size) => product * size)), -1, 1), shape)

/** What the engine is asked for beside the weights' gradients, while something runs. */
function wantedDuring(action: () => void): WantedGradients[] {
  const asked: WantedGradients[] = []
  const engine = currentEngine() as LSTMEngine
  const forward = engine.forward.bind(engine)
  const spy = vi.spyOn(engine, 'forward').mockImplementation((shape, inputs) => {
    const outputs = forward(shape, inputs)
    const saved = outputs.saved as SavedForward
    const backward: SavedForward['backward'] = (upstream, wanted = {}) => {
      asked.push(wanted)
      return saved.backward(upstream, wanted)
    }
    return { ...outputs, saved: { ...saved, backward } }
  })
  action()
  spy.mockRestore()
  return asked
}

describe('the gradient of fusedLSTM', () => {
  let [x, h, c, weightIh]: tf.Tensor[] = []
  let run: (x: tf.Tensor, h: tf.Tensor, c: tf.Tensor, weightIh: tf.Tensor) => tf.Tensor
  let byOutput: tf.Tensor
  beforeAll(async () => {
    await tf.setBackend('wasm')
    configureKernels({ threads: 1 })
    ;[x, h, c, weightIh] = [draw(3, 4, 5), draw(3, 2), draw(3, 2), draw(8, 5)]
    const weightHh = draw(8, 2) as tf.Tensor2D
    byOutput = draw(3, 4, 2)
    run = (x, h, c, weightIh) => {
      const weights = { weightIh: weightIh as tf.Tensor2D, weightHh }
      const initial = { h: h as tf.Tensor2D, c: c as tf.Tensor2D }
      return fusedLSTM(x as tf.Tensor3D, weights, { initial }).output as tf.Tensor
    }
  })

  it('by one input alone is the one of all together', () => {
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
    expect([wantedDuring(byWeights), wantedDuring(byState)]).toEqual([[{}], [{ byInitial: true }]])
  })
})
