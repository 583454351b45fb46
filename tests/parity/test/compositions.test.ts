import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  GRUNet,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  meanOverTime,
  RNN,
  recompute,
  Sequential,
  type VJPOptions,
} from '@rowwise/models-rnn'
import { configureKernels } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, type LossFunction, type Trainable, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { onTape } from './on-tape'
import { worstError } from './vectors'

const LENGTHS = [3, 1, 2, 3, 3, 1, 2]

/** Seven rows of three steps of five features, and classes. */
const sequences = () => ({
  inputs: tf.tensor3d(new Generator(1).uniform(new Float32Array(7 * 3 * 5), -1, 1), [7, 3, 5]),
  targets: tf.tensor1d(Int32Array.from({ length: 7 }, (_, sample) => sample % 4)),
})
const padded = () => {
  const { inputs, targets } = sequences()
  return { inputs: { inputs, lengths: tf.tensor1d(LENGTHS, 'int32') }, targets }
}
const characters = () => ({
  inputs: tf.tensor2d(
    Int32Array.from({ length: 14 }, (_, at) => (at * 7) % 6),
    [7, 2],
    'int32',
  ),
  targets: tf.tensor2d(
    Int32Array.from({ length: 14 }, (_, at) => at % 4),
    [7, 2],
    'int32',
  ),
})

type Batch = { inputs: unknown; targets: tf.Tensor }
interface Case {
  name: string
  make: (generator: Generator) => Sequential
  batch?: () => Batch
}

const sizes = { inputSize: 5, hiddenSize: 6 }
const fc = (inFeatures: number, generator: Generator) => new Linear({ inFeatures, outFeatures: 4, generator })

const cases: Case[] = [
  { name: 'LSTMNet', make: (generator) => new LSTMNet({ ...sizes, numClasses: 4, generator }) },
  {
    name: 'LSTMNet of six layers without biases',
    make: (generator) => new LSTMNet({ ...sizes, numClasses: 4, numLayers: 6, bias: false, generator }),
  },
  {
    name: 'GRUNet in both directions',
    make: (generator) => new GRUNet({ ...sizes, numClasses: 4, bidirectional: true, generator }),
  },
  {
    name: 'LSTMNet with dropout, in both directions',
    make: (generator) =>
      new LSTMNet({ ...sizes, numClasses: 4, numLayers: 3, bidirectional: true, dropout: 0.3, generator }),
  },
  {
    name: 'lengths, both directions, final states',
    make: (generator) =>
      new Sequential(
        new GRU({ ...sizes, numLayers: 2, bidirectional: true, generator }),
        finalHidden(),
        fc(12, generator),
      ),
    batch: padded,
  },
  {
    name: 'lengths, both directions, last steps',
    make: (generator) =>
      new Sequential(new RNN({ ...sizes, bidirectional: true, generator }), lastStep(), fc(12, generator)),
    batch: padded,
  },
  {
    name: 'two recurrent layers of different cells with dropout between',
    make: (generator) =>
      new Sequential(
        new LSTM({ ...sizes, generator }),
        new Dropout({ p: 0.4, generator }),
        new GRU({ inputSize: 6, hiddenSize: 3, generator }),
        lastStep(),
        fc(3, generator),
      ),
    batch: padded,
  },
  {
    name: 'a layer twice',
    make: (generator) => {
      const shared = new Linear({ inFeatures: 6, outFeatures: 6, generator })
      return new Sequential(new LSTM({ ...sizes, generator }), lastStep(), shared, shared, fc(6, generator))
    },
  },
  {
    name: 'a language model',
    make: (generator) =>
      new Sequential({
        embedding: new Embedding({ numEmbeddings: 6, embeddingDim: 5, paddingIdx: 0, generator }),
        lstm: new LSTM({ ...sizes, numLayers: 2, generator }),
        fc: fc(6, generator),
      }),
    batch: characters,
  },
  {
    name: 'a sequence in a sequence',
    make: (generator) =>
      new Sequential({ encoder: new Sequential(new LSTM({ ...sizes, generator }), lastStep()), fc: fc(6, generator) }),
  },
  {
    name: 'layer norm',
    make: (generator) =>
      new Sequential(
        new LayerNorm({ normalizedShape: 5 }),
        new LSTM({ ...sizes, generator }),
        lastStep(),
        fc(6, generator),
      ),
  },
  {
    name: 'the mean over time by length',
    make: (generator) => new Sequential(new GRU({ ...sizes, generator }), meanOverTime(), fc(6, generator)),
    batch: padded,
  },
  {
    name: 'a last step that follows no recurrent layer',
    make: (generator) =>
      new Sequential(
        new GRU({ ...sizes, generator }),
        new LayerNorm({ normalizedShape: [6], elementwiseAffine: false }),
        lastStep(),
        fc(6, generator),
      ),
    batch: padded,
  },
]

const numbers = (named: Readonly<Record<string, tf.Tensor>>) =>
  Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]))

/** Loss, gradients, and the weights after three steps of Adam. */
function train(make: Case['make'], of: (model: Sequential) => Trainable, batch: () => Batch, loss: LossFunction) {
  const model = make(new Generator(3))
  const optimizer = new Adam(model, { lr: 0.01 })
  const steps = [0, 1, 2].map(() => {
    const result = valueAndGradients(of(model), loss, batch() as never)
    optimizer.step(result.gradients)
    const found = { loss: result.loss.dataSync()[0], gradients: numbers(result.gradients) }
    tf.dispose([result.loss, { ...result.gradients }])
    return found
  })
  return { steps, weights: numbers(model.parameters()) }
}

const itself = (model: Sequential): Trainable => model
const wrapped: LossFunction = (outputs, targets) => crossEntropy(outputs, targets)

afterEach(() => void configureKernels({ path: 'auto' }))

describe.each([
  ['wasm', 'auto'],
  ['cpu', 'auto'],
  ['cpu', 'js'],
] as const)('on the %s backend with %s kernels, pullbacks', (backend, path) => {
  beforeEach(async () => {
    configureKernels({ path })
    await tf.setBackend(backend)
  })

  it.each(cases)('give the bits of the tape: $name', ({ make, batch = sequences }) => {
    expect(make(new Generator(0)).hasPullback()).toBe(true)
    const expected = train(make, onTape, batch, crossEntropy)
    expect(train(make, itself, batch, crossEntropy)).toEqual(expected)
    expect(train(make, itself, batch, wrapped)).toEqual(expected)
  })

  it.each(cases)('give what forward gives: $name', ({ make, batch = sequences }) => {
    const model = make(new Generator(3)).eval()
    const { inputs } = batch()
    const pass = model.vjp(inputs as tf.Tensor)
    const error = worstError(pass?.value.dataSync() ?? [], model.forward(inputs as tf.Tensor).dataSync(), {
      absolute: 1e-6,
    })
    expect(error).toBeLessThan(1)
    pass?.release()
  })

  it.each(cases)(
    'leave no tensor behind, also after a target that is no class: $name',
    ({ make, batch = sequences }) => {
      const [model, { inputs, targets }] = [make(new Generator(3)), batch()]
      const stray = tf.fill(targets.shape, 9, 'int32')
      const before = tf.memory().numTensors
      expect(() => valueAndGradients(model, crossEntropy, { inputs, targets: stray } as never)).toThrow(/target 0 is 9/)
      const { loss, gradients } = valueAndGradients(model, crossEntropy, { inputs, targets } as never)
      tf.dispose([loss, { ...gradients }])
      expect(tf.memory().numTensors).toBe(before)
    },
  )

  it('leave out frozen layers, below which no gradient is taken', () => {
    const make = (generator: Generator) => {
      const lstm = new LSTM({ ...sizes, generator }).requiresGrad(false)
      return new Sequential({ lstm, last: lastStep(), hidden: fc(6, generator), fc: fc(4, generator) })
    }
    const [found, expected] = [
      train(make, itself, sequences, crossEntropy),
      train(make, onTape, sequences, crossEntropy),
    ]
    expect(found).toEqual(expected)
    expect(Object.keys(found.steps[0].gradients)).toEqual(['hidden.weight', 'hidden.bias', 'fc.weight', 'fc.bias'])
    expect(found.weights['lstm.weight_hh_l0']).toEqual(
      numbers(make(new Generator(3)).parameters())['lstm.weight_hh_l0'],
    )
  })

  it('leave out a frozen layer in the middle, and single parameters', () => {
    const make = (generator: Generator) => {
      const net = new Sequential({
        a: new GRU({ ...sizes, generator }),
        b: fc(6, generator),
        last: lastStep(),
        c: fc(4, generator),
      })
      for (const name of ['a.bias_hh_l0', 'b.weight', 'b.bias', 'c.bias']) net.parameters()[name].trainable = false
      return net
    }
    const found = train(make, itself, sequences, crossEntropy)
    expect(found).toEqual(train(make, onTape, sequences, crossEntropy))
    expect(Object.keys(found.steps[0].gradients)).toEqual([
      'a.weight_ih_l0',
      'a.weight_hh_l0',
      'a.bias_ih_l0',
      'c.weight',
    ])
  })
})

describe('a composition leaves the way back to the tape', () => {
  beforeEach(async () => {
    await tf.setBackend('wasm')
  })

  class Doubled extends LSTMNet {
    override forward(inputs: tf.Tensor): tf.Tensor {
      return tf.mul(super.forward(inputs), 2)
    }
  }
  class Squared extends LSTM {
    override forward(inputs: tf.Tensor3D) {
      return super.forward(tf.square(inputs))
    }
  }

  it.each<[string, (generator: Generator) => Sequential]>([
    ['of a class that computes something else', (generator) => new Doubled({ ...sizes, numClasses: 4, generator })],
    [
      'with a layer of such a class, which is not joined with the next',
      (generator) => new Sequential(new Squared({ ...sizes, generator }), lastStep(), fc(6, generator)),
    ],
    [
      'with projections',
      (generator) => new Sequential(new LSTM({ ...sizes, projSize: 2, generator }), lastStep(), fc(2, generator)),
    ],
  ])('%s, whose gradients are then those of what it computes', (_, make) => {
    expect(make(new Generator(0)).vjp(sequences().inputs)).toBeUndefined()
    const found = train(make, itself, sequences, crossEntropy)
    expect(found).toEqual(train(make, onTape, sequences, crossEntropy))
  })

  it('with the kernels switched off', () => {
    configureKernels({ path: 'off' })
    expect(new LSTMNet({ ...sizes }).vjp(sequences().inputs)).toBeUndefined()
  })

  it('inside of another gradient', () => {
    const model = new LSTMNet({ ...sizes })
    let inside: unknown
    tf.grad((inputs) => {
      inside = model.vjp(inputs)
      return model.forward(inputs)
    })(sequences().inputs)
    expect(inside).toBeUndefined()
  })

  it('with a layer of the user’s, and takes it where that has a pullback', () => {
    class Plain extends LayerNorm {
      override forward(inputs: tf.Tensor): tf.Tensor {
        return tf.mul(inputs, 3)
      }
    }
    class Tripled extends Plain {
      override vjp(inputs: tf.Tensor) {
        const value = tf.mul(inputs, 3)
        return {
          value,
          pullback: (gradient: tf.Tensor) => ({ inputs: tf.mul(gradient, 3), parameters: {} }),
          release: () => value.dispose(),
        }
      }
    }
    const make = (layer: Layer) => (generator: Generator) =>
      new Sequential({ lstm: new LSTM({ ...sizes, generator }), layer, last: lastStep(), fc: fc(6, generator) })
    const options = { normalizedShape: 6, elementwiseAffine: false }
    expect(make(new Plain(options))(new Generator(0)).hasPullback()).toBe(false)
    expect(make(new Tripled(options))(new Generator(0)).hasPullback()).toBe(true)
    const [found, expected] = [new Tripled(options), new Plain(options)].map((layer) =>
      train(make(layer), itself, sequences, crossEntropy),
    )
    expect(found).toEqual(expected)
    class Recomputed extends Plain {
      override vjp(inputs: tf.Tensor, options: VJPOptions) {
        return recompute((x) => this.forward(x), inputs, options)
      }
    }
    expect(train(make(new Recomputed(options)), itself, sequences, crossEntropy)).toEqual(expected)
  })
})
