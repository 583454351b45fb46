import { Embedding, finalHidden, GRU, type Layer, Linear, LSTM, lastStep, RNN, Sequential } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { crossEntropy, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeEach, describe, expect, it } from 'vitest'

const [BATCH, TIME, VOCABULARY] = [6, 9, 5]
const lengths = [9, 1, 4, 9, 2, 7]

/** Tokens that read each of the vectors ten times. */
const tokens = () =>
  tf.tensor2d(
    Int32Array.from({ length: BATCH * TIME }, (_, at) => (at * 7 + Math.floor(at / 3)) % VOCABULARY),
    [BATCH, TIME],
    'int32',
  )

const embeddingOf = (generator: Generator, paddingIdx?: number) =>
  new Embedding({
    numEmbeddings: VOCABULARY,
    embeddingDim: 4,
    generator,
    ...(paddingIdx !== undefined && { paddingIdx }),
  })

const networks: [name: string, make: (generator: Generator) => Layer[]][] = [
  [
    'an LSTM of two layers',
    (generator) => [
      embeddingOf(generator),
      new LSTM({ inputSize: 4, hiddenSize: 11, numLayers: 2, generator }),
      new Linear({ inFeatures: 11, outFeatures: 3, generator }),
    ],
  ],
  [
    'a bidirectional GRU, its last step, padding',
    (generator) => [
      embeddingOf(generator, 2),
      new GRU({ inputSize: 4, hiddenSize: 5, bidirectional: true, generator }),
      lastStep(),
      new Linear({ inFeatures: 10, outFeatures: 3, generator }),
    ],
  ],
  [
    'a language model with tied weights',
    (generator) => {
      const embedding = embeddingOf(generator)
      const lstm = new LSTM({ inputSize: 4, hiddenSize: 4, generator })
      const weight = embedding.parameters().weight
      return [embedding, lstm, new Linear({ inFeatures: 4, outFeatures: VOCABULARY, weight, generator })]
    },
  ],
  [
    'an RNN without biases, its final state',
    (generator) => [
      embeddingOf(generator),
      new RNN({ inputSize: 4, hiddenSize: 8, bias: false, generator }),
      finalHidden(),
      new Linear({ inFeatures: 8, outFeatures: 3, generator }),
    ],
  ],
]

/** The gradients of a model by its pullbacks, or by the tape, which sees a function in their place. */
function gradientsOf(model: Sequential, byTape: boolean, hasLengths: boolean) {
  const inputs = hasLengths ? { inputs: tokens(), lengths } : tokens()
  const forward = (read: typeof inputs) => model.forward(read)
  const shape = tf.tidy(() => forward(inputs).shape.slice(0, -1))
  const targets = tf.tensor(
    Int32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, at) => at % 3),
    shape,
    'int32',
  )
  const tape = { forward, parameters: () => model.parameters() }
  const { loss, gradients } = valueAndGradients((byTape ? tape : model) as never, crossEntropy, {
    inputs,
    targets,
  } as never)
  return { loss: loss.dataSync()[0], gradients }
}

describe.each(['wasm', 'cpu'])(
  'an embedding whose vectors are read often, before a recurrent layer on the %s backend',
  (backend) => {
    beforeEach(async () => {
      await tf.setBackend(backend)
    })

    it.each(networks.flatMap(([name, make]) => [false, true].map((hasLengths) => ({ name, make, hasLengths }))))(
      'has the gradients of the tape in $name (lengths: $hasLengths)',
      ({ make, hasLengths }) => {
        const model = new Sequential(...make(new Generator(4)))
        const [found, expected] = [false, true].map((byTape) => gradientsOf(model, byTape, hasLengths))
        expect(found.loss).toBeCloseTo(expected.loss, 6)
        expect(Object.keys(found.gradients)).toEqual(Object.keys(model.parameters()))
        for (const [name, gradient] of Object.entries(expected.gradients)) {
          const of = found.gradients[name]
          expect(of.shape, name).toEqual(gradient.shape)
          const distance = tf.max(tf.abs(tf.sub(of, gradient))).dataSync()[0]
          expect(distance, name).toBeLessThan(1e-6 + 1e-4 * tf.max(tf.abs(gradient)).dataSync()[0])
        }
      },
    )

    it('gives no gradient by what is frozen: the embedding, or the recurrent layer', () => {
      for (const frozen of ['0', '1']) {
        const model = new Sequential(...networks[0][1](new Generator(4)))
        const isFrozen = (name: string) => name.startsWith(`${frozen}.`)
        for (const [name, parameter] of Object.entries(model.parameters()))
          if (isFrozen(name)) parameter.trainable = false
        const trained = Object.keys(model.parameters()).filter((name) => !isFrozen(name))
        const { gradients } = gradientsOf(model, false, false)
        expect(Object.keys(gradients)).toEqual(trained)
        const byTape = gradientsOf(model, true, false).gradients
        for (const name of trained) {
          expect(tf.max(tf.abs(tf.sub(gradients[name], byTape[name]))).dataSync()[0], name).toBeLessThan(1e-5)
        }
      }
    })

    it('leaves no tensor behind, and takes its pullback once', () => {
      const model = new Sequential(...networks[1][1](new Generator(4)))
      const inputs = tokens()
      const before = tf.memory().numTensors
      const pass = model.vjp(inputs)
      const ones = tf.onesLike(pass?.value as tf.Tensor)
      tf.dispose(pass?.pullback(ones).parameters)
      expect(() => pass?.pullback(ones)).toThrow(expect.objectContaining({ code: 'PULLBACK_STATE' }))
      pass?.release()
      ones.dispose()
      expect(tf.memory().numTensors).toBe(before)
    })

    it('reads indices that were cast from booleans', () => {
      const model = new Sequential(...networks[0][1](new Generator(4)))
      const inputs = tf.cast(tf.greater(tokens(), 2), 'int32') as tf.Tensor2D
      const pass = model.vjp(inputs)
      const expected = model.forward(inputs)
      expect(tf.max(tf.abs(tf.sub(pass?.value as tf.Tensor, expected))).dataSync()[0]).toBeLessThan(1e-6)
      pass?.release()
    })

    it('names an index without a vector', () => {
      const model = new Sequential(...networks[0][1](new Generator(4)))
      const inputs = tf.fill([BATCH, TIME], VOCABULARY, 'int32')
      expect(() => model.vjp(inputs)).toThrow(/has the index 5, expected 0 to 4/)
    })
  },
)
