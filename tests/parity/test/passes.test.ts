import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  LastStep,
  Layer,
  LayerNorm,
  type LayerVJP,
  Linear,
  LSTM,
  lastStep,
  meanOverTime,
  recompute,
  Sequential,
  type VJPOptions,
} from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeEach, describe, expect, it } from 'vitest'

const draw = (seed: number, ...shape: number[]) =>
  tf.tensor(new Generator(seed).uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)
const numbers = (named: Readonly<Record<string, tf.Tensor>>) =>
  Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]))
const generator = () => new Generator(3)
const fc = () => new Linear({ inFeatures: 5, outFeatures: 5, generator: generator() })
const gru = () => new GRU({ inputSize: 5, hiddenSize: 5, generator: generator() })

type Passing = Layer & { vjp(inputs: tf.Tensor, options?: VJPOptions): LayerVJP | undefined }

const layers: [name: string, make: () => Passing][] = [
  ['Linear', () => fc()],
  ['LayerNorm', () => new LayerNorm({ normalizedShape: 5 })],
  ['Dropout', () => new Dropout({ generator: generator() })],
  ['GRU', () => gru() as Passing],
  ['meanOverTime', () => meanOverTime() as Passing],
  ['lastStep', () => lastStep() as Passing],
  ['Embedding', () => new Embedding({ numEmbeddings: 4, embeddingDim: 5, generator: generator() })],
  ['Sequential', () => new Sequential(fc(), gru(), lastStep(), fc())],
]
const inputsOf = (name: string) => (name === 'Embedding' ? tf.ones([2, 3], 'int32') : draw(1, 2, 3, 5))

describe.each(['wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend)
  })

  describe.each(layers)('a pass of %s', (name, make) => {
    const pass = () => make().vjp(inputsOf(name)) as LayerVJP

    it('gives its pullback once', () => {
      const { value, pullback } = pass()
      pullback(tf.onesLike(value))
      expect(() => pullback(tf.onesLike(value))).toThrow(expect.objectContaining({ code: 'PULLBACK_STATE' }))
    })

    it('gives none after its release, which may be called again', () => {
      const { value, pullback, release } = pass()
      const gradient = tf.onesLike(value)
      release()
      release()
      expect(() => pullback(gradient)).toThrow(expect.objectContaining({ code: 'PULLBACK_STATE' }))
    })

    it('refuses a gradient of another shape, after which the right one is taken', () => {
      const { value, pullback } = pass()
      expect(() => pullback(tf.ones([...value.shape, 1]))).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }))
      expect(pullback(tf.onesLike(value)).parameters).toBeDefined()
    })

    it('refuses options that nobody reads', () => {
      const unknown = { inputsGradient: true } as VJPOptions
      expect(() => make().vjp(inputsOf(name), unknown)).toThrow(/\.vjp has no option 'inputsGradient'/)
      expect(() => make().forward(inputsOf(name), { length: [1, 1] } as never)).toThrow(/has no option 'length'/)
      expect(() => make().forward(inputsOf(name), [1, 1] as never)).toThrow(/got an array as its options/)
    })
  })

  it('a recurrent layer refuses a state for its vjp, which begins at zeros', () => {
    const initial = { h: tf.ones([1, 2, 5]) }
    expect(() => gru().vjp(draw(1, 2, 3, 5) as tf.Tensor3D, { initial } as never)).toThrow(/no option 'initial'/)
  })

  it('the pullback of a Linear is of what it read, also when its inputs are disposed and others made since', () => {
    const embedding = new Embedding({ numEmbeddings: 3, embeddingDim: 5, generator: generator() })
    const [linear, gradient] = [fc(), tf.ones([4, 5])]
    const inputs = embedding.forward(tf.zeros([4], 'int32'))
    const [first, second] = [linear.vjp(inputs), linear.vjp(inputs)]
    const expected = numbers(first?.pullback(gradient).parameters ?? {})
    inputs.dispose()
    embedding.forward(tf.ones([4], 'int32'))
    expect(numbers(second?.pullback(gradient).parameters ?? {})).toEqual(expected)
  })

  it('the pullback of a network is of the weights that it had, whatever steps were taken since', () => {
    const net = new Sequential(fc(), fc(), gru(), finalHidden(), fc())
    const batch = { inputs: draw(1, 2, 3, 5), targets: tf.tensor1d([0, 1], 'int32') }
    const optimizer = new Adam(net, { lr: 0.1 })
    const step = () => {
      const { loss, gradients } = valueAndGradients(net, crossEntropy, batch)
      optimizer.step(gradients)
      tf.dispose([loss, { ...gradients }])
    }
    step()
    const gradient = tf.ones([2, 5])
    const [first, second] = [net.vjp(batch.inputs), net.vjp(batch.inputs)]
    const expected = numbers(first?.pullback(gradient).parameters ?? {})
    step()
    step()
    expect(numbers(second?.pullback(gradient).parameters ?? {})).toEqual(expected)
    const before = tf.memory()
    net.vjp(batch.inputs)?.release()
    expect(tf.memory()).toEqual(before)
  })

  it('the pullback of a recomputed layer is refused when its weights have changed', () => {
    const layer = new LayerNorm({ normalizedShape: 5 })
    const pass = layer.vjp(draw(1, 2, 5))
    layer.parameters().weight.assign(tf.ones([5]))
    expect(() => pass?.pullback(tf.ones([2, 5]))).toThrow(/weight changed between vjp and its pullback/)
  })
})

describe('a layer of the user’s', () => {
  beforeEach(async () => {
    await tf.setBackend('wasm')
  })
  const batch = () => ({ inputs: draw(1, 2, 3, 5), targets: tf.tensor1d([0, 1], 'int32') })

  class Same extends Layer {
    forward(inputs: tf.Tensor): tf.Tensor {
      return inputs
    }
    override vjp(inputs: tf.Tensor, options: VJPOptions) {
      return recompute((x) => this.forward(x), inputs, options)
    }
  }
  class SameGradient extends Same {
    override vjp(inputs: tf.Tensor) {
      const value = inputs.clone()
      return { value, pullback: (inputs: tf.Tensor) => ({ inputs, parameters: {} }), release: () => value.dispose() }
    }
  }

  it.each([
    ['returns its inputs', () => new Same()],
    ['returns its gradient', () => new SameGradient()],
  ] as const)('that %s costs no tensor, and changes no number, at every place', (_, make) => {
    const expected = valueAndGradients(new Sequential(fc(), gru(), lastStep()), crossEntropy, batch())
    const nets = [
      new Sequential(make(), fc(), gru(), lastStep()),
      new Sequential(fc(), make(), gru(), lastStep(), make()),
      new Sequential(fc(), make(), make(), gru(), lastStep()),
    ]
    for (const net of nets) {
      const { inputs, targets } = batch()
      const before = tf.memory().numTensors
      const { loss, gradients } = valueAndGradients(net, crossEntropy, { inputs, targets })
      expect(Object.values(numbers(gradients))).toEqual(Object.values(numbers(expected.gradients)))
      tf.dispose([loss, { ...gradients }])
      net.forward(inputs).dispose()
      expect([inputs.isDisposed, tf.memory().numTensors]).toEqual([false, before])
    }
  })

  it('without a gradient with respect to its inputs is named', () => {
    class Forgetful extends Same {
      override vjp(inputs: tf.Tensor) {
        const value = inputs.clone()
        return { value, pullback: () => ({ parameters: {} }), release: () => value.dispose() }
      }
    }
    const net = new Sequential({ fc: fc(), mine: new Forgetful(), gru: gru(), last: lastStep() })
    expect(() => valueAndGradients(net, crossEntropy, batch())).toThrow(/the pullback of mine gave no gradient/)
  })

  it('that does not use a parameter gives no gradient for it', () => {
    class Unused extends Same {
      private readonly weight = this.registerParameter('weight', Float32Array.of(1), [1])
      override vjp(inputs: tf.Tensor, options: VJPOptions) {
        return recompute((x) => this.forward(x), inputs, options, { weight: this.weight })
      }
    }
    const net = new Sequential({ fc: fc(), unused: new Unused(), gru: gru(), last: lastStep() })
    const { gradients } = valueAndGradients(net, crossEntropy, batch())
    expect(Object.keys(gradients).filter((name) => name.startsWith('unused'))).toEqual([])
    new Adam(net).step(gradients)
  })

  it('that overrides what lastStep or an LSTM computes is computed so, alone and after another', () => {
    class Hundredfold extends LastStep {
      override forward(inputs: tf.Tensor3D, context = {}): tf.Tensor2D {
        return tf.mul(super.forward(inputs, context), 100)
      }
    }
    const inputs = draw(1, 2, 3, 5)
    const lstm = () => new LSTM({ inputSize: 5, hiddenSize: 3, generator: generator() })
    const [plain, own] = [new Sequential(lstm(), lastStep()), new Sequential(lstm(), new Hundredfold())]
    tf.test_util.expectArraysClose(own.forward(inputs).dataSync(), tf.mul(plain.forward(inputs), 100).dataSync(), 1e-4)
    let calls = 0
    class Counting extends LSTM {
      override vjp(inputs: tf.Tensor3D, options: VJPOptions = {}) {
        calls += 1
        return super.vjp(inputs, options)
      }
    }
    const net = new Sequential(new Counting({ inputSize: 5, hiddenSize: 3 }), lastStep())
    net.vjp(inputs)?.release()
    expect(calls).toBe(1)
    class Doubled extends LSTM {
      override forward(inputs: tf.Tensor3D) {
        return super.forward(tf.mul(inputs, 2))
      }
    }
    expect(() => new Sequential(new Doubled({ inputSize: 5, hiddenSize: 3 }), finalHidden())).toThrow(
      /needs an LSTM, a GRU or an RNN right before it, neither of a class with its own forward/,
    )
  })
})
