import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Linear, LSTM, LSTMNet, type Module } from '../src'

const code = (code: string) => expect.objectContaining({ code })

const model = () => new LSTMNet({ inputSize: 28, hiddenSize: 3 })
const layer = () => new LSTM({ inputSize: 28, hiddenSize: 3 })

const disposed = (shape: number[]): tf.Tensor => {
  const tensor = tf.zeros(shape)
  tensor.dispose()
  return tensor
}

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** What is no live float32 tensor of this shape, and what an error says of it. */
const wrongTensors = (shape: number[]): [kind: string, make: () => unknown, message: string][] => [
  ['a disposed tensor', () => disposed(shape), 'is a disposed tensor'],
  [
    'an int32 tensor',
    () => tf.zeros(shape, 'int32'),
    "of dtype int32, expected float32; convert it with tf.cast(x, 'float32')",
  ],
  [
    'a bool tensor',
    () => tf.zeros(shape, 'bool'),
    "of dtype bool, expected float32; convert it with tf.cast(x, 'float32')",
  ],
  ['a string tensor', () => tf.fill(shape, 'x'), 'of dtype string, expected float32'],
  ['a complex64 tensor', () => tf.complex(tf.zeros(shape), tf.zeros(shape)), 'of dtype complex64, expected float32'],
  ['an array', () => tf.zeros(shape).arraySync(), 'is an Array, expected a float32 tensor; make one with tf.tensor(…)'],
  [
    'a Float32Array',
    () => new Float32Array(4),
    'is a Float32Array, expected a float32 tensor; make one with tf.tensor(…)',
  ],
  ['undefined', () => undefined, 'is undefined, expected a float32 tensor'],
  ['null', () => null, 'is null, expected a float32 tensor'],
  ['a text', () => 'x', 'is the text "x", expected a float32 tensor'],
  ['an object', () => ({ values: 1 }), 'is an object with values, expected a float32 tensor'],
]

const inputs = () => tf.zeros<tf.Rank.R3>([2, 3, 28])
const state = () => tf.zeros<tf.Rank.R3>([1, 2, 3])
/** Every argument that is a tensor: how it is called, its shape, and a call with another value for it. */
const places: [argument: string, of: string, shape: number[], call: (value: never) => unknown][] = [
  ['inputs', 'LSTMNet.forward', [2, 3, 28], (x) => model().forward(x)],
  ['inputs', 'LSTMNet.vjp', [2, 3, 28], (x) => model().vjp(x)],
  ['inputs', 'LSTM.forward', [2, 3, 28], (x) => layer().forward(x)],
  ['initial.h', 'LSTM.forward', [1, 2, 3], (h) => layer().forward(inputs(), { initial: { h, c: state() } })],
  ['initial.c', 'LSTM.forward', [1, 2, 3], (c) => layer().forward(inputs(), { initial: { h: state(), c } })],
  ['inputs', 'Linear.forward', [2, 3], (x) => new Linear({ inFeatures: 3, outFeatures: 1 }).forward(x)],
]

describe.each(places)('%s of %s', (argument, _, shape, call) => {
  it.each(wrongTensors(shape))('is refused by name when it is %s', (_, make, message) => {
    const value = make() as never
    expect(() => call(value)).toThrow(code('TENSOR_INVALID'))
    expect(() => call(value)).toThrow(argument === 'inputs' ? /^inputs of .* is / : `${argument} is `)
    expect(() => call(value)).toThrow(message)
  })
})

describe('a wrong argument', () => {
  it('is refused before anything is computed or kept', () => {
    const [lstm, x, h] = [layer(), inputs(), state()]
    const { numTensors } = tf.memory()
    for (const c of [disposed([1, 2, 3]), [[[0]]], undefined]) {
      expect(() => lstm.forward(x, { initial: { h, c: c as never } })).toThrow(code('TENSOR_INVALID'))
    }
    expect(tf.memory().numTensors).toBe(numTensors)
  })
})

describe('the initial state', () => {
  it.each<[string, unknown, RegExp]>([
    ['null', null, /initial is null, expected \{ h, c \}, a tensor each/],
    ['a tensor', tf.zeros([1, 2, 3]), /initial is a tensor, expected \{ h, c \}/],
    ['a pair as PyTorch’s', [tf.zeros([1, 2, 3]), tf.zeros([1, 2, 3])], /initial is an Array, expected \{ h, c \}/],
    ['only one of the two', { h: tf.zeros([1, 2, 3]) }, /initial\.c is undefined, expected a float32 tensor/],
    [
      'one of another name',
      { hn: tf.zeros([1, 2, 3]), c: tf.zeros([1, 2, 3]) },
      /no option 'hn', expected some of h, c/,
    ],
  ])('is refused when it is %s', (_, initial, message) => {
    expect(() => layer().forward(inputs(), { initial } as never)).toThrow(message)
  })
})

describe('inputs of another shape get a hint whose sizes fit', () => {
  it.each<[number[], string]>([
    [[64, 784], 'reshape it, e.g. to [64, 28, 28]'],
    [[28, 28], 'reshape it, e.g. to [1, 28, 28]'],
    [[784], 'reshape it, e.g. to [1, 28, 28]'],
    [[5, 1, 28, 28], 'reshape it, e.g. to [5, 28, 28]'],
    [[5, 28, 28, 1], 'reshape it, e.g. to [5, 28, 28]'],
    [[5, 1, 784], 'reshape it, e.g. to [5, 28, 28]'],
    [[5, 56], 'reshape it, e.g. to [5, 2, 28]'],
    [[5, 28, 100], 'transpose it to [5, 100, 28] with tf.transpose(inputs, [0, 2, 1])'],
  ])('%j', (shape, hint) => {
    const message = `inputs has shape [${shape}], lstm_1 (LSTM, inputSize 28) expects [batch, time, 28]`
    expect(() => model().forward(tf.zeros(shape) as never)).toThrow(message)
    expect(() => model().forward(tf.zeros(shape) as never)).toThrow(hint)
    expect(() => layer().forward(tf.zeros(shape) as never)).toThrow(hint)
  })

  it.each<[string, number[]]>([
    ['which a row does not divide', [5, 100]],
    ['of several channels', [5, 3, 28, 28]],
    ['of rows that would be joined', [5, 56, 14]],
    ['that are empty', [0, 784]],
    ['of one number', []],
  ])('and none %s', (_, shape) => {
    expect(() => model().forward(tf.zeros(shape) as never)).toThrow(/expects \[batch, time, 28\](, none of them 0)?$/)
  })

  it('which holds for every shape and size: the hint has as many numbers as the inputs, and the right last axis', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 })
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 6 }), (shape, inputSize) => {
        const net = new LSTMNet({ inputSize, hiddenSize: 1 })
        const hint = messageOf(() => net.forward(tf.zeros(shape) as never)).match(/to \[(.*?)\]/)?.[1]
        net.dispose()
        fc.pre(hint !== undefined)
        const sizes = (hint as string).split(', ').map(Number)
        expect([sizes.length, sizes[2]]).toEqual([3, inputSize])
        expect(tf.util.sizeFromShape(sizes)).toBe(tf.util.sizeFromShape(shape))
      }),
    )
  })
})

function messageOf(call: () => unknown): string {
  try {
    call()
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('a module that was disposed', () => {
  const uses: [string, Module, (module: never) => unknown][] = [
    ['LSTMNet.forward', model(), (net: LSTMNet) => net.forward(inputs())],
    ['LSTMNet.vjp', model(), (net: LSTMNet) => net.vjp(inputs())],
    ['LSTMNet.parameters', model(), (net: LSTMNet) => net.parameters()],
    ['LSTMNet.stateDict', model(), (net: LSTMNet) => net.stateDict()],
    ['LSTMNet.loadStateDict', model(), (net: LSTMNet) => net.loadStateDict({})],
    ['LSTMNet.summary', model(), (net: LSTMNet) => net.summary()],
    ['LSTM.forward', layer(), (lstm: LSTM) => lstm.forward(inputs())],
    ['Linear.forward', new Linear({ inFeatures: 28, outFeatures: 1 }), (linear: Linear) => linear.forward(inputs())],
  ]

  it.each(uses)('is refused by %s', (name, module, use) => {
    module.dispose()
    expect(() => use(module as never)).toThrow(code('MODULE_DISPOSED'))
    expect(() => use(module as never)).toThrow(`this ${name.split('.')[0]} was disposed`)
  })

  it('may be disposed again', () => {
    const net = model()
    net.dispose()
    expect(() => net.dispose()).not.toThrow()
  })

  it('is named by the parameter, where only that was disposed', () => {
    const net = model()
    net.stateDict()['lstm_1.bias_hh_l0'].dispose()
    expect(() => net.forward(inputs())).toThrow('lstm_1.bias_hh_l0 of this LSTMNet was disposed')
  })
})
