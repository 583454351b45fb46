import '@tensorflow/tfjs-backend-cpu'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  LayerNorm,
  Linear,
  LSTM,
  lastStep,
  meanOverTime,
  RNN,
  Sequential,
} from '../src'

const code = (code: string) => expect.objectContaining({ code })
const draw = (seed: number, ...shape: number[]) =>
  tf.tensor(new Generator(seed).uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('recurrent layers with lengths', () => {
  const layers = [
    [
      'LSTM',
      () => new LSTM({ inputSize: 2, hiddenSize: 3, numLayers: 2, bidirectional: true, generator: new Generator(1) }),
    ],
    [
      'GRU',
      () => new GRU({ inputSize: 2, hiddenSize: 3, numLayers: 2, bidirectional: true, generator: new Generator(1) }),
    ],
    [
      'RNN',
      () => new RNN({ inputSize: 2, hiddenSize: 3, numLayers: 2, bidirectional: true, generator: new Generator(1) }),
    ],
  ] as const

  it.each(layers)('give each row what it has alone, whatever the padding holds: %s', (_, make) => {
    const layer = make()
    const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(lengths, (lengths) => {
        const rows = draw(lengths.length, lengths.length, 5, 2) as tf.Tensor3D
        const values = rows.dataSync().slice()
        for (const [row, length] of lengths.entries()) values.fill(Number.NaN, (row * 5 + length) * 2, (row + 1) * 10)
        const { output, hn } = layer.forward(tf.tensor3d(values, [lengths.length, 5, 2]), { lengths })
        lengths.forEach((length, row) => {
          const alone = layer.forward(tf.slice(rows, [row, 0, 0], [1, length, 2]))
          const [found, states] = [
            tf.slice(output, [row, 0, 0], [1, length, 6]),
            tf.slice(hn, [0, row, 0], [-1, 1, -1]),
          ]
          tf.test_util.expectArraysClose(found.dataSync(), alone.output.dataSync(), 1e-6)
          tf.test_util.expectArraysClose(states.dataSync(), alone.hn.dataSync(), 1e-6)
        })
      }),
      { numRuns: 15 },
    )
  })

  it.each(layers)('are picked by lastStep and finalHidden as from the outputs: %s', (_, make) => {
    const layer = make()
    const inputs = draw(2, 3, 4, 2) as tf.Tensor3D
    const lengths = [4, 1, 3]
    const { output, hn } = layer.forward(inputs, { lengths })
    const last = new Sequential(layer, lastStep()).forward({ inputs, lengths })
    const rows = lengths.map((length, row) => tf.slice(output, [row, length - 1, 0], [1, 1, 6]))
    tf.test_util.expectArraysClose(last.dataSync(), tf.concat(rows).dataSync(), 1e-6)
    const final = new Sequential(layer, finalHidden()).forward({ inputs, lengths })
    const states = tf.concat([tf.slice(hn, [2, 0, 0], [1, -1, -1]), tf.slice(hn, [3, 0, 0], [1, -1, -1])], 2)
    tf.test_util.expectArraysClose(final.dataSync(), states.dataSync(), 1e-6)
  })

  it('have an initial state of any cell', () => {
    for (const layer of [new GRU({ inputSize: 2, hiddenSize: 3 }), new RNN({ inputSize: 2, hiddenSize: 3 })]) {
      const whole = draw(3, 2, 5, 2) as tf.Tensor3D
      const head = layer.forward(tf.slice(whole, [0, 0, 0], [-1, 3, -1]))
      const tail = layer.forward(tf.slice(whole, [0, 3, 0], [-1, 2, -1]), { initial: { h: head.hn } })
      expect(tail.hn.dataSync()).toEqual(layer.forward(whole).hn.dataSync())
      const stray = { h: head.hn, c: head.hn }
      expect(() => layer.forward(whole, { initial: stray })).toThrow(/initial has no option 'c', expected some of h/)
    }
  })

  it('project the hidden state, with PyTorch’s names and shapes', () => {
    const layer = new LSTM({ inputSize: 2, hiddenSize: 4, projSize: 3, numLayers: 2, bidirectional: true })
    const shapes = Object.entries(layer.stateDict()).map(([name, { shape }]) => `${name} ${shape.join('×')}`)
    expect(shapes.slice(0, 5)).toEqual([
      ...['weight_ih_l0 16×2', 'weight_hh_l0 16×3', 'bias_ih_l0 16', 'bias_hh_l0 16', 'weight_hr_l0 3×4'],
    ])
    expect(shapes).toContain('weight_ih_l1 16×6')
    const { output, hn, cn } = layer.forward(draw(1, 5, 7, 2) as tf.Tensor3D)
    expect([output.shape, hn.shape, cn.shape]).toEqual([
      [5, 7, 6],
      [4, 5, 3],
      [4, 5, 4],
    ])
    const again = layer.forward(draw(1, 5, 7, 2) as tf.Tensor3D, { initial: { h: hn, c: cn } })
    expect(again.output.shape).toEqual([5, 7, 6])
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'projSize',
      () => new LSTM({ inputSize: 2, hiddenSize: 3, projSize: 3 }),
      /projSize is 3, expected less than hiddenSize, 3/,
    ],
    [
      'projSize of a GRU',
      () => new GRU({ inputSize: 2, hiddenSize: 3, projSize: 1 } as never),
      /new GRU\(\) has no option 'projSize'/,
    ],
    [
      'nonlinearity',
      () => new RNN({ inputSize: 2, hiddenSize: 3, nonlinearity: 'gelu' as never }),
      /nonlinearity is the text "gelu", expected 'tanh' or 'relu'/,
    ],
    ['p', () => new Dropout({ p: 1 }), /Dropout: p is 1, expected a probability/],
    [
      'paddingIdx',
      () => new Embedding({ numEmbeddings: 3, embeddingDim: 2, paddingIdx: 3 }),
      /paddingIdx is 3, expected an index below 3/,
    ],
    ['eps', () => new LayerNorm({ normalizedShape: 3, eps: 0 }), /eps is 0, expected a number over 0/],
    [
      'normalizedShape',
      () => new LayerNorm({ normalizedShape: [3, 0] }),
      /normalizedShape\[1\] is 0, expected an integer/,
    ],
    [
      'no axes',
      () => new LayerNorm({ normalizedShape: [] }),
      /normalizedShape is an empty Array|normalizedShape is an Array/,
    ],
  ])('of layers refuse a wrong option: %s', (_, make, message) => {
    expect(make).toThrow(code('MODULE_OPTION'))
    expect(make).toThrow(message)
  })
})

describe('Embedding', () => {
  const layer = (options: object = {}) =>
    new Embedding({ numEmbeddings: 4, embeddingDim: 2, generator: new Generator(1), ...options })
  const indices = (...values: number[]) => tf.tensor1d(values, 'int32')

  it('looks up a vector for each index of any shape', () => {
    const vectors = layer().stateDict().weight.arraySync() as number[][]
    expect(
      layer()
        .forward(tf.tensor3d([2, 0], [1, 2, 1], 'int32'))
        .arraySync(),
    ).toEqual([[[vectors[2]], [vectors[0]]]])
  })

  it('has zeros and no gradient for padding, and sums over where an index was used', () => {
    const padded = layer({ paddingIdx: 0 })
    expect([...padded.forward(indices(0)).dataSync()]).toEqual([0, 0])
    const pass = padded.vjp(indices(0, 2, 2, 1))
    const gradient = pass?.pullback(tf.ones([4, 2])).parameters.weight as tf.Tensor
    expect(gradient.arraySync()).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 0],
    ])
  })

  it.each<[string, tf.TensorLike | (() => tf.Tensor), RegExp]>([
    [
      'floats',
      () => tf.tensor1d([1]),
      /inputs of Embedding is float32 \[1\], expected an int32 tensor of indices; convert it with tf\.cast/,
    ],
    ['an index over its last', () => indices(1, 4), /has the index 4, expected 0 to 3 \(numEmbeddings\)/],
    ['a negative index', () => indices(-1), /has the index -1, expected 0 to 3/],
    ['no tensor', [1], /inputs of Embedding is no tensor/],
  ])('refuses %s', (_, given, message) => {
    const inputs = typeof given === 'function' ? given() : given
    expect(() => layer().forward(inputs as tf.Tensor)).toThrow(message)
  })
})

describe('Dropout', () => {
  it('drops in training only, by its generator, and keeps the expectation', () => {
    const ones = tf.ones([10_000])
    const layer = new Dropout({ p: 0.25, generator: new Generator(4) })
    const found = Array.from(layer.forward(ones).dataSync())
    expect(new Set(found)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    expect(found.reduce((sum, value) => sum + value, 0) / 10_000).toBeCloseTo(1, 1)
    expect(layer.eval().forward(ones).dataSync()).toEqual(ones.dataSync())
  })
})

describe('LayerNorm', () => {
  it('has mean 0 and variance 1 over its axes, then its factors and summands', () => {
    const layer = new LayerNorm({ normalizedShape: [2, 3] })
    const normal = layer.forward(draw(1, 4, 2, 3)).arraySync() as number[][][]
    for (const row of normal) {
      const values = row.flat()
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5)
      expect(values.reduce((sum, value) => sum + value * value, 0) / 6).toBeCloseTo(1, 3)
    }
    layer.loadStateDict({
      weight: { shape: [2, 3], data: new Float32Array(6).fill(2) },
      bias: { shape: [2, 3], data: new Float32Array(6).fill(5) },
    })
    const scaled = tf.add(tf.mul(normal as never, 2), 5)
    tf.test_util.expectArraysClose(layer.forward(draw(1, 4, 2, 3)).dataSync(), scaled.dataSync(), 1e-5)
  })

  it('refuses other axes', () => {
    const layer = new LayerNorm({ normalizedShape: 3 })
    expect(() => layer.forward(tf.zeros([3, 2]))).toThrow(/LayerNorm expects \[\.\.\., 3\] \(normalizedShape\)/)
  })
})

describe('layers that pick', () => {
  const inputs = () => tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2])

  it('take the last step, by length too', () => {
    expect(lastStep().forward(inputs()).arraySync()).toEqual([
      [5, 6],
      [11, 12],
    ])
    expect(
      lastStep()
        .forward(inputs(), { lengths: [1, 2] })
        .arraySync(),
    ).toEqual([
      [1, 2],
      [9, 10],
    ])
  })

  it('take the mean over time, by length too', () => {
    expect(meanOverTime().forward(inputs()).arraySync()).toEqual([
      [3, 4],
      [9, 10],
    ])
    expect(
      meanOverTime()
        .forward(inputs(), { lengths: [1, 2] })
        .arraySync(),
    ).toEqual([
      [1, 2],
      [8, 9],
    ])
  })

  it('need a recurrent layer before finalHidden()', () => {
    const linear = () => new Linear({ inFeatures: 2, outFeatures: 2 })
    expect(() => new Sequential(linear(), finalHidden())).toThrow(code('MODULE_STRUCTURE'))
    expect(() => new Sequential({ fc: linear(), final: finalHidden() })).toThrow(
      /final, finalHidden\(\), needs an LSTM, a GRU or an RNN right before it/,
    )
    expect(() => finalHidden().forward()).toThrow(/use it in a Sequential/)
  })
})
