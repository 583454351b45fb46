import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { kernelReport } from '@rowwise/rnn-kernels'
import * as tfc from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { type AnyLayer, drawn, numbersOf, seeded, withKernels, worst } from './numbers'

const N = 6
const T = 9
const I = 4
const H = 5
// Code without fused multiply-add rounds twice as often.
const TOLERANCE = kernelReport().fused ? 2e-6 : 3e-6

const built = (layer: unknown): AnyLayer => {
  ;(layer as AnyLayer).apply(tfc.zeros([N, T, I]))
  return layer as AnyLayer
}

const makers = {
  lstm: (options: object) => tf.layers.lstm({ units: H, ...seeded(1), ...options }),
  gru: (options: object) => tf.layers.gru({ units: H, ...seeded(1), ...options }),
  simpleRNN: (options: object) => tf.layers.simpleRNN({ units: H, ...seeded(1), ...options }),
}

const sequences = [
  {},
  { returnSequences: true },
  { goBackwards: true },
  { returnSequences: true, goBackwards: true, returnState: true },
]
const cells = [
  ['lstm', {}],
  ['lstm', { recurrentActivation: 'sigmoid', unitForgetBias: true }],
  ['lstm', { useBias: false, implementation: 2 }],
  ['gru', {}],
  ['gru', { recurrentActivation: 'sigmoid' }],
  ['gru', { useBias: false }],
  ['simpleRNN', {}],
  ['simpleRNN', { activation: 'relu' }],
] as const
const masks = {
  'at the end': [9, 5, 1, 9, 3, 7].map((length) => Array.from({ length: T }, (_, t) => t < length)),
  'at the beginning': [9, 5, 1, 2, 3, 7].map((length) => Array.from({ length: T }, (_, t) => t >= T - length)),
  'with empty rows': [9, 0, 1, 0, 3, 7].map((length) => Array.from({ length: T }, (_, t) => t < length)),
  anywhere: Array.from({ length: N }, (_, row) => Array.from({ length: T }, (_, t) => (row * 7 + t * 5) % 3 !== 0)),
  'of nothing': Array.from({ length: N }, () => Array.from({ length: T }, () => true)),
}

const cases = cells.flatMap(([kind, options]) =>
  sequences.map((sequence) => [kind, { ...options, ...sequence }] as const),
)

describe.each(['wasm', 'cpu'])('on the %s backend, outputs and gradients are those of tfjs-layers', (backend) => {
  const x = () => drawn(7, N, T, I)
  const states = (kind: string) => Array.from({ length: kind === 'lstm' ? 2 : 1 }, (_, k) => drawn(20 + k, N, H))

  beforeAll(async () => {
    await tfc.setBackend(backend)
  })

  it.each(cases)('%s %j', (kind, options) => {
    const layer = built(makers[kind](options))
    const expected = numbersOf(layer, x())
    const { result, fused } = withKernels(() => numbersOf(layer, x()))
    expect(fused).toBe(3)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
  })

  it.each(cases)('%s %j from an initial state', (kind, options) => {
    const layer = built(makers[kind](options))
    const given = { initialState: states(kind) }
    const expected = numbersOf(layer, x(), given)
    const { result, fused } = withKernels(() => numbersOf(layer, x(), given))
    expect(fused).toBe(3)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
  })

  describe.each(Object.entries(masks))('with a mask %s', (_, rows) => {
    it.each(cases.filter(([, options]) => !('useBias' in options)))('%s %j', (kind, options) => {
      const layer = built(makers[kind](options))
      const given = { mask: tfc.tensor2d(rows, [N, T], 'bool') }
      const expected = numbersOf(layer, x(), given)
      const { result, fused } = withKernels(() => numbersOf(layer, x(), given))
      expect(fused).toBe(3)
      expect(worst(result, expected)).toBeLessThan(TOLERANCE)
    })

    it.each(sequences)('and an initial state, %j', (sequence) => {
      const layer = built(makers.lstm({ ...sequence, returnState: true }))
      const given = { mask: tfc.tensor2d(rows, [N, T], 'bool'), initialState: states('lstm') }
      const expected = numbersOf(layer, x(), given)
      const { result } = withKernels(() => numbersOf(layer, x(), given))
      expect(worst(result, expected)).toBeLessThan(TOLERANCE)
    })
  })

  it.each(['lstm', 'gru', 'simpleRNN'] as const)('%s with dropout, when it draws the same masks', (kind) => {
    const counted = () => {
      let seed = 0
      return (ones: tfc.Tensor, rate: number) => tfc.dropout(ones, rate, undefined, seed++)
    }
    const numbers = () =>
      numbersOf(built(makers[kind]({ dropout: 0.4, dropoutFunc: counted() })), x(), { training: true })
    const expected = numbers()
    const { result, fused } = withKernels(numbers)
    expect(fused).toBeGreaterThanOrEqual(3)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
  })

  it('runs recurrentDropout fused in prediction, and as before in training', () => {
    const layer = built(makers.lstm({ recurrentDropout: 0.5 }))
    expect(withKernels(() => numbersOf(layer, x())).fused).toBe(3)
    const { fused, reasons } = withKernels(() => layer.call(x(), { training: true }))
    expect([fused, reasons]).toEqual([0, 'recurrentDropout is 0.5, which the kernels do not have in training'])
  })

  it('keeps the state of a stateful layer from call to call', () => {
    const outputs = () => {
      const layer = tf.layers.lstm({ units: H, stateful: true, batchInputShape: [N, T, I], ...seeded(1) })
      const model = tf.sequential({ layers: [layer] })
      const parts = [1, 2].map((seed) => (model.predict(drawn(seed, N, T, I)) as tfc.Tensor).dataSync<'float32'>())
      model.resetStates()
      return [...parts, (model.predict(drawn(1, N, T, I)) as tfc.Tensor).dataSync<'float32'>()]
    }
    const expected = outputs()
    const { result, fused } = withKernels(outputs)
    expect(fused).toBeGreaterThanOrEqual(3)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
    expect(worst([result[0]], [result[2]])).toBe(0)
  })

  it('reads what was cast from integers', () => {
    const layer = built(makers.lstm({}))
    const words = tfc.cast(
      tfc.oneHot(
        tfc.tensor2d(
          [
            [1, 2, 0],
            [3, 0, 1],
          ],
          [2, 3],
          'int32',
        ),
        I,
      ),
      'float32',
    )
    const outputs = () =>
      [layer.call(words, {}), layer.call(tfc.cast(words, 'int32'), {})].map((output) =>
        (output as tfc.Tensor).dataSync<'float32'>(),
      )
    const expected = outputs()
    const { result, fused } = withKernels(outputs)
    expect(fused).toBe(2)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
  })

  it('takes the gradient of a gradient as tfjs-layers does', () => {
    const layer = built(makers.gru({ recurrentActivation: 'sigmoid' }))
    const weights = layer.trainableWeights.map((weight) => weight.read() as tfc.Variable)
    const sumOf = (input: tfc.Tensor) => tfc.sum(layer.call(input, {}) as tfc.Tensor)
    const penalty = () => {
      const { grads } = tfc.variableGrads(
        () => tfc.add(sumOf(x()), tfc.sum(tfc.square(tfc.grad(sumOf)(x())))) as tfc.Scalar,
        weights,
      )
      return Object.values(grads).map((gradient) => gradient.dataSync<'float32'>())
    }
    const expected = penalty()
    const { result, reasons } = withKernels(penalty)
    expect(reasons).toBe('a gradient of its gradient is taken, which the kernels do not have')
    expect(worst(result, expected)).toBeLessThan(1e-5)
  })

  it('leaves an initial state of another shape to tfjs-layers, which broadcasts it', () => {
    const layer = built(makers.gru({}))
    const given = { initialState: [tfc.fill([1, H], 0.5)] }
    const output = () => (layer.call(x(), given) as tfc.Tensor).dataSync<'float32'>()
    const expected = output()
    const { result, fused, reasons } = withKernels(output)
    expect([fused, reasons]).toEqual([0, 'its initial state is not float32 [batch, 5]'])
    expect(worst([result], [expected])).toBe(0)
  })

  it('keeps infinite inputs to their rows, where they saturate', () => {
    const layer = built(makers.simpleRNN({}))
    const values = Float32Array.from({ length: 2 * 2 * I }, (_, at) =>
      at < I ? (at === 0 ? Number.POSITIVE_INFINITY : 0) : 0.1 * at,
    )
    const output = () => (layer.call(tfc.tensor(values, [2, 2, I]), {}) as tfc.Tensor).dataSync<'float32'>()
    const expected = output()
    const { result, fused } = withKernels(output)
    expect(fused).toBe(1)
    expect(worst([result], [expected])).toBeLessThan(TOLERANCE)
    expect(result.every(Number.isFinite)).toBe(true)
  })

  it.each([
    [
      'an activation',
      () => tf.layers.lstm({ units: 2, activation: 'relu', ...seeded(1) }),
      'its activation is relu, the kernels have tanh',
    ],
    [
      'an activation of the gates',
      () => tf.layers.gru({ units: 2, recurrentActivation: 'softplus', ...seeded(1) }),
      'its recurrentActivation is softplus, the kernels have sigmoid and hardSigmoid',
    ],
    [
      'stacked cells',
      () => tf.layers.rnn({ cell: [1, 2].map((seed) => tf.layers.lstmCell({ units: 2, ...seeded(seed) })) as never }),
      'its cell is StackedRNNCells, the kernels have LSTMCell, GRUCell and SimpleRNNCell',
    ],
    [
      "a user's own cell of the same name",
      () => {
        class Doubled extends (tf.layers.lstmCell({ units: 1 }).constructor as never as new (
          o: object,
        ) => AnyLayer['cell']) {}
        return tf.layers.rnn({ cell: new Doubled({ units: 2, ...seeded(1) }) as never })
      },
      'its cell is called LSTMCell and is not that of tfjs-layers: another class, or one of another copy of tfjs-layers',
    ],
    [
      'an activation of the same name',
      () => {
        const layer = tf.layers.lstm({ units: 2, ...seeded(1) })
        const { activation } = (layer as never as AnyLayer).cell as never as {
          activation: { apply(x: tfc.Tensor): tfc.Tensor }
        }
        activation.apply = (x) => tfc.sin(x)
        return layer
      },
      'its activation is tanh, and not that of tfjs-layers, the kernels have tanh',
    ],
    [
      'an overridden getInitialState',
      () => {
        const layer = tf.layers.gru({ units: 2, ...seeded(1) })
        layer.getInitialState = (x) => [tfc.ones([x.shape[0], 2])]
        return layer
      },
      'it overrides getInitialState',
    ],
    [
      "a mask of dropout that stays, tf.layers.rnn's",
      () => tf.layers.rnn({ cell: tf.layers.lstmCell({ units: 2, dropout: 0.5, ...seeded(1) }) }),
      'it keeps one mask of its dropout for good, as tf.layers.rnn does',
    ],
  ])('leaves %s to tfjs-layers, bit for bit', (_, make, reason) => {
    const layer = built(make())
    const before = numbersOf(layer, x())
    const { result, fused, reasons } = withKernels(() => numbersOf(layer, x()))
    expect([fused, reasons]).toEqual([0, reason])
    expect(worst(result, before)).toBe(0)
  })
})

describe('a mask of another shape', () => {
  it.each([[[T, N]], [[N * T]]])('of [%s] is refused as tfjs-layers does', (shape) => {
    const layer = built(tf.layers.lstm({ units: H, ...seeded(1) }))
    const call = () => (layer as never as AnyLayer).call(drawn(2, N, T, I), { mask: tfc.ones(shape, 'bool') })
    expect(call).toThrow()
    const { result, fused } = withKernels(() => {
      expect(call).toThrow()
      return {}
    })
    expect([result, fused]).toEqual([{}, 0])
  })
})

describe('tf.layers.rnn', () => {
  it('runs fused around one of the known cells', () => {
    const layer = built(tf.layers.rnn({ cell: tf.layers.lstmCell({ units: H, ...seeded(3) }), returnSequences: true }))
    const expected = numbersOf(layer, drawn(7, N, T, I))
    const { result, fused } = withKernels(() => numbersOf(layer, drawn(7, N, T, I)))
    expect(fused).toBe(3)
    expect(worst(result, expected)).toBeLessThan(TOLERANCE)
  })
})

describe('the orthogonal initializer', () => {
  beforeAll(() => {
    // tfjs-layers' own calls them as methods, which tfjs-core alone does not have.
    const { reshape, stridedSlice, sign, transpose } = tfc
    const methods = { reshape, stridedSlice, sign, transpose, flatten: (tensor: tfc.Tensor) => reshape(tensor, [-1]) }
    for (const [name, operation] of Object.entries(methods)) {
      const method = function method(this: tfc.Tensor, ...given: unknown[]) {
        return (operation as (...given: unknown[]) => unknown)(this, ...given)
      }
      Object.assign(tfc.Tensor.prototype, { [name]: method })
    }
  })

  it.each([
    [4, 16],
    [16, 4],
    [12, 12],
  ])('draws for a seed what it drew before, [%i, %i]', (rows, columns) => {
    const draw = () => [
      tf.initializers.orthogonal({ gain: 1.5, seed: 5 }).apply([rows, columns]).dataSync() as Float32Array,
    ]
    expect(worst(withKernels(draw).result, draw())).toBeLessThan(2e-5)
  })

  it('gives orthonormal rows of 256 units without a warning', () => {
    const warn = vi.spyOn(console, 'warn')
    const { result } = withKernels(() => tf.initializers.orthogonal({ seed: 1 }).apply([256, 1024]) as tfc.Tensor2D)
    const identity = tfc.matMul(result, result, false, true)
    expect(tfc.max(tfc.abs(tfc.sub(identity, tfc.eye(256)))).dataSync()[0]).toBeLessThan(1e-5)
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })
})
