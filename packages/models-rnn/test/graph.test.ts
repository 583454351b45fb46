import '@tensorflow/tfjs-backend-cpu'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  asNet,
  finalHidden,
  GRU,
  GRUNet,
  Graph,
  type LayerOutputs,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  ReLU,
  RNN,
  RNNNet,
  Sequential,
  Sigmoid,
  Softmax,
  Tanh,
} from '../src'

const code = (code: string) => expect.objectContaining({ code })
const draw = (seed: number, ...shape: number[]) =>
  tf.tensor(new Generator(seed).uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)
const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync())
const sizes = (seed: number) => ({ inputSize: 3, hiddenSize: 4, generator: new Generator(seed) })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('Graph', () => {
  const encoder = () => new LSTM({ ...sizes(1), numLayers: 2 })
  const decoder = () => new LSTM({ ...sizes(2), numLayers: 2 })
  const fc = () => new Linear({ inFeatures: 4, outFeatures: 2, generator: new Generator(3) })
  const make = () =>
    new Graph({
      inputs: ['x'],
      nodes: {
        encoder: { layer: encoder(), input: 'x' },
        decoder: { layer: decoder(), input: 'x', initial: { h: 'encoder.hn', c: 'encoder.cn' } },
        fc: { layer: fc(), input: 'decoder' },
      },
      output: 'fc',
    })

  it('gives a decoder the states of an encoder', () => {
    const x = draw(5, 2, 6, 3) as tf.Tensor3D
    const { hn, cn } = encoder().forward(x)
    const expected = fc().forward(decoder().forward(x, { initial: { h: hn, c: cn } }).output)
    expect(values(make().forward(x) as tf.Tensor)).toEqual(values(expected))
  })

  it('names its parameters by its nodes', () => {
    expect(Object.keys(make().parameters()).slice(-2)).toEqual(['fc.weight', 'fc.bias'])
  })

  it('trains by the tape, and leaves nothing behind', () => {
    const graph = make()
    const x = draw(5, 2, 6, 3)
    const before = tf.memory().numTensors
    const { value, grads } = tf.variableGrads(() => tf.sum(graph.forward(x) as tf.Tensor))
    expect(Object.keys(grads).length).toBe(Object.keys(graph.parameters()).length)
    tf.dispose([value, ...Object.values(grads)])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('goes on from a state, and puts the states out', () => {
    const layer = () => new GRU(sizes(1))
    const graph = new Graph({
      inputs: ['x', 'h0'],
      nodes: { gru: { layer: layer(), input: 'x', initial: { h: 'h0' } } },
      output: 'gru',
      outputs: { hn: 'gru.hn' },
    })
    const x = draw(5, 2, 6, 3) as tf.Tensor3D
    const whole = layer().forward(x)
    const [begin, end] = tf.split(x, 2, 1)
    const first = graph.forward({ x: begin, h0: tf.zeros([1, 2, 4]) }) as LayerOutputs & { hn: tf.Tensor }
    const second = graph.forward({ x: end, h0: first.hn }) as LayerOutputs & { hn: tf.Tensor }
    expect(values(second.hn)).toEqual(values(whole.hn))
  })

  it('takes the final state of both directions, by the lengths of the rows', () => {
    const layer = () => new GRU({ ...sizes(1), bidirectional: true })
    const graph = new Graph({ inputs: ['x'], nodes: { gru: { layer: layer(), input: 'x' } }, output: 'gru.final' })
    const x = draw(5, 2, 6, 3)
    const expected = new Sequential(layer(), finalHidden()).forward({ inputs: x, lengths: [6, 2] })
    expect(values(graph.forward(x, { lengths: [6, 2] }) as tf.Tensor)).toEqual(values(expected))
  })

  it('tells lengths to the layers after its first input, not to a decoder of other steps', () => {
    const decoder = new GRU({ ...sizes(2), inputSize: 3 })
    const graph = new Graph({
      inputs: ['x', 'y'],
      nodes: {
        encoder: { layer: new GRU({ ...sizes(1), inputSize: 3 }), input: 'x' },
        decoder: { layer: decoder, input: 'y', initial: { h: 'encoder.hn' } },
      },
      output: 'decoder',
      outputs: { h: 'encoder.hn' },
    })
    const [x, y] = [draw(1, 2, 4, 3), draw(2, 2, 6, 3)]
    const { output, h } = graph.forward({ x, y }, { lengths: [4, 2] }) as unknown as Record<string, tf.Tensor>
    expect(values(output)).toEqual(values(decoder.forward(y, { initial: { h } }).output))
  })

  it('returns new tensors, also if a layer returns its input', () => {
    class Same extends Tanh {
      override forward(x: tf.Tensor) {
        return x
      }
    }
    const x = draw(1, 2)
    const graph = new Graph({ inputs: ['x'], nodes: { same: { layer: new Same(), input: 'x' } }, output: 'same' })
    ;(graph.forward(x) as tf.Tensor).dispose()
    expect(x.isDisposed).toBe(false)
  })

  it('refuses a second output of the name of the first, and no inputs or nodes', () => {
    const nodes = { a: { layer: new Tanh(), input: 'x' } }
    const refused = code('MODULE_STRUCTURE')
    expect(() => new Graph({ inputs: ['x'], nodes, output: 'a', outputs: { output: 'x' } })).toThrow(refused)
    expect(() => new Graph({} as never)).toThrow(refused)
    expect(() => new Graph({ inputs: ['x'], output: 'x' } as never)).toThrow(refused)
  })

  it.each([
    ['reads what comes later', { a: { layer: new Tanh(), input: 'b' }, b: { layer: new Tanh(), input: 'x' } }],
    [
      'reads a state of what has none',
      { a: { layer: new Tanh(), input: 'x' }, b: { layer: new Tanh(), input: 'a.hn' } },
    ],
    ['begins with a state and is not recurrent', { a: { layer: new Tanh(), input: 'x', initial: { h: 'x' } } }],
    [
      'is an LSTM and begins with one of its states',
      { a: { layer: new LSTM(sizes(1)), input: 'x', initial: { h: 'x' } } },
    ],
    [
      'begins with a cell state that it does not have',
      { a: { layer: new GRU(sizes(1)), input: 'x', initial: { h: 'x', c: 'x' } } },
    ],
    ['is called as an input is', { x: { layer: new Tanh(), input: 'x' } }],
  ])('refuses a node that %s', (_, nodes) => {
    expect(() => new Graph({ inputs: ['x'], nodes, output: 'a' })).toThrow(code('MODULE_STRUCTURE'))
  })

  it('refuses inputs that are missing or not known', () => {
    const graph = make()
    expect(() => graph.forward({})).toThrow(code('TENSOR_INVALID'))
    expect(() => graph.forward({ x: draw(1, 1, 1, 3), y: draw(1, 1) })).toThrow('got y, which it does not read')
  })
})

describe('activations', () => {
  it.each([
    ['Tanh', new Tanh(), (x: tf.Tensor) => tf.tanh(x)],
    ['Sigmoid', new Sigmoid(), (x: tf.Tensor) => tf.sigmoid(x)],
    ['ReLU', new ReLU(), (x: tf.Tensor) => tf.relu(x)],
    ['Softmax', new Softmax(), (x: tf.Tensor) => tf.softmax(x)],
  ])('%s has the values and the gradient of its function', (_, layer, apply) => {
    const x = draw(1, 2, 3)
    const upstream = draw(2, 2, 3)
    expect(values(layer.forward(x))).toEqual(values(apply(x)))
    const pass = layer.vjp(x, { inputGradient: true })
    const expected = tf.grad((z) => tf.sum(tf.mul(apply(z), upstream)))(x)
    expect(values(pass?.pullback(upstream).inputs as tf.Tensor)).toEqual(values(expected))
    pass?.release()
  })
})

describe('the gates of Keras', () => {
  it('are an option of LSTM and GRU, which changes their numbers and not their parameters', () => {
    const x = draw(1, 2, 5, 3) as tf.Tensor3D
    const outputs = [{}, { gateActivation: 'hard_sigmoid' as const }].map((own) =>
      values(new LSTM({ ...sizes(1), ...own }).forward(x).hn),
    )
    expect(outputs[0]).not.toEqual(outputs[1])
    const gru = [{}, { resetAfter: false }].map((own) => new GRU({ ...sizes(1), ...own }))
    expect(values(gru[0].forward(x).hn)).not.toEqual(values(gru[1].forward(x).hn))
    expect(Object.keys(gru[1].parameters())).toEqual(Object.keys(gru[0].parameters()))
  })

  it.each([{ gateActivation: 'tanh' }, { resetAfter: 1 }])('are refused where they are %j', (own) => {
    expect(() => new GRU({ ...sizes(1), ...own } as never)).toThrow(code('MODULE_OPTION'))
  })
})

describe('asNet', () => {
  const linear = (bias = true) => new Linear({ inFeatures: 4, outFeatures: 2, bias })

  it.each([
    ['LSTMNet', LSTMNet, () => new Sequential(new LSTM(sizes(1)), lastStep(), linear())],
    [
      'GRUNet',
      GRUNet,
      () => new Sequential({ a: new GRU({ ...sizes(1), numLayers: 2 }), b: finalHidden(), c: linear() }),
    ],
    ['RNNNet', RNNNet, () => new Sequential(new RNN({ ...sizes(1), nonlinearity: 'relu' }), lastStep(), linear())],
  ])('gives the %s that a model is, with its outputs', (_, Net, make) => {
    const x = draw(1, 2, 5, 3)
    const model = make()
    const expected = values(model.forward(x))
    const net = asNet(model)
    expect(net).toBeInstanceOf(Net)
    expect(values(net?.forward(x) as tf.Tensor)).toEqual(expected)
  })

  it.each([
    ['a layer alone', () => new LSTM(sizes(1))],
    ['no bias', () => new Sequential(new LSTM(sizes(1)), lastStep(), linear(false))],
    [
      'other gates',
      () => new Sequential(new LSTM({ ...sizes(1), gateActivation: 'hard_sigmoid' }), lastStep(), linear()),
    ],
    ['more layers', () => new Sequential(new LSTM(sizes(1)), lastStep(), linear(), new Softmax())],
  ])('leaves a model with %s alone', (_, make) => {
    const model = make()
    expect(asNet(model)).toBeUndefined()
    expect(Object.keys(model.parameters()).length).toBeGreaterThan(0)
  })
})
