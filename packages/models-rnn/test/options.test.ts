import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeSafetensors, Linear, LSTM, LSTMNet, Module } from '../src'

const code = (code: string) => expect.objectContaining({ code })
const model = () => new LSTMNet({ inputSize: 28, hiddenSize: 3 })
const layer = () => new LSTM({ inputSize: 28, hiddenSize: 3 })
const inputs = () => tf.zeros<tf.Rank.R3>([2, 3, 28])

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('an options object', () => {
  const tensors = () => model().stateDict()

  it.each<[string, () => unknown, string]>([
    [
      'new LSTMNet()',
      () => new LSTMNet({ hidden: 3 } as never),
      "has no option 'hidden', expected some of inputSize, hid",
    ],
    [
      'new LSTM()',
      () => new LSTM({ inputSize: 1, hiddenSize: 1, batchFirst: true } as never),
      "has no option 'batchFirst'",
    ],
    [
      'new Linear()',
      () => new Linear({ inFeatures: 1, outFeatures: 1, biases: true } as never),
      "has no option 'biases'",
    ],
    [
      'LSTMNet.fromStateDict',
      () => LSTMNet.fromStateDict(tensors(), { stict: true } as never),
      "has no option 'stict'",
    ],
    [
      'LSTMNet.fromSafetensors',
      () => LSTMNet.fromSafetensors(encodeSafetensors(model().stateDict()), { dropout: 0 } as never),
      "has no option 'dropout'",
    ],
    [
      'LSTMNet.loadStateDict',
      () => model().loadStateDict(tensors(), { renames: {} } as never),
      "has no option 'renames'",
    ],
    ['LSTM.forward', () => layer().forward(inputs(), { output: false } as never), "has no option 'output'"],
    ['new LSTMNet()', () => new LSTMNet(64 as never), 'got 64 as its options, expected an object'],
    ['new LSTMNet()', () => new LSTMNet(null as never), 'got null as its options, expected an object'],
    ['new LSTMNet()', () => new LSTMNet([28, 64] as never), 'got an array as its options, expected an object'],
    ['new LSTM()', () => new LSTM(undefined as never), 'got undefined as its options, expected an object'],
    ['new Linear()', () => new Linear('64' as never), 'got "64" as its options, expected an object'],
    ['LSTMNet.loadStateDict', () => model().loadStateDict(tensors(), true as never), 'got true as its options'],
  ])('of %s is refused for what nobody reads', (owner, call, message) => {
    expect(call).toThrow(code('MODULE_OPTION'))
    expect(call).toThrow(`${owner} ${message}`)
  })

  it.each<[object, string]>([
    [{ hiddenSize: 0 }, 'LSTMNet: hiddenSize is 0, expected an integer of at least 1'],
    [{ inputSize: 1.5 }, 'LSTMNet: inputSize is 1.5, expected an integer of at least 1'],
    [{ numLayers: -1 }, 'LSTMNet: numLayers is -1, expected an integer of at least 1'],
    [{ numClasses: 0 }, 'LSTMNet: numClasses is 0, expected an integer of at least 1'],
    [{ hiddenSize: '64' }, 'LSTMNet: hiddenSize is the text "64", expected an integer of at least 1'],
    [{ hiddenSize: null }, 'LSTMNet: hiddenSize is null, expected an integer of at least 1'],
    [{ bias: 0 }, 'LSTMNet: bias is 0, expected true or false'],
    [{ bidirectional: 'yes' }, 'LSTMNet: bidirectional is the text "yes", expected true or false'],
    [{ dropout: 1 }, 'LSTMNet: dropout is 1, expected a probability from 0 up to, not including, 1'],
    [{ dropout: -0.1 }, 'LSTMNet: dropout is -0.1, expected a probability'],
    [{ dropout: Number.NaN }, 'LSTMNet: dropout is NaN, expected a probability'],
    [{ generator: 7 }, 'LSTMNet: generator is 7, expected a Generator of @rowwise/torch-random'],
  ])('of LSTMNet is refused by its own option: %j', (options, message) => {
    expect(() => new LSTMNet(options)).toThrow(code('MODULE_OPTION'))
    expect(() => new LSTMNet(options)).toThrow(message)
  })

  it.each<[string, () => unknown, string]>([
    [
      'dropout',
      () => LSTMNet.fromStateDict(tensors(), { dropout: 2 }),
      'LSTMNet.fromStateDict: dropout is 2, expected a prob',
    ],
    [
      'strict',
      () => model().loadStateDict(tensors(), { strict: 'no' as never }),
      'LSTMNet.loadStateDict: strict is the text "no"',
    ],
    [
      'onNote',
      () => model().loadStateDict(tensors(), { onNote: 'log' as never }),
      'LSTMNet.loadStateDict: onNote is the text "log"',
    ],
  ])('of loading weights is refused for the wrong kind of %s', (_, call, message) => {
    expect(call).toThrow(code('MODULE_OPTION'))
    expect(call).toThrow(message)
  })
})

describe('sizes that cannot be allocated are refused before anything is', () => {
  it.each<[string, () => unknown, string]>([
    [
      'hiddenSize of LSTMNet',
      () => new LSTMNet({ hiddenSize: 100_000 }),
      'LSTMNet: hiddenSize 100000 needs lstm_1.weight_hh_l0 of shape [400000,100000], 40000000000 parameters (149 GiB); ' +
        'a tensor may have at most 268435456 (1 GiB), so make hiddenSize smaller',
    ],
    [
      'inputSize',
      () => new LSTMNet({ inputSize: 1e9 }),
      'LSTMNet: inputSize 1000000000 with hiddenSize 64 needs lstm_1.weight_ih_l0',
    ],
    [
      'numClasses',
      () => new LSTMNet({ numClasses: 1e9 }),
      'LSTMNet: numClasses 1000000000 with hiddenSize 64 needs fc_1.weight',
    ],
    [
      'numLayers',
      () => new LSTMNet({ numLayers: 1e9 }),
      'LSTMNet: numLayers 1000000000 needs 4000000000 tensors; a module may have at most 4096 of them, 1024 layers',
    ],
    [
      'the sum of the layers',
      () => new LSTMNet({ hiddenSize: 8000, numLayers: 9 }),
      'LSTMNet: the options ask for 4353552010 parameters (16.2 GiB); a module may have at most 1073741824 (4 GiB)',
    ],
    [
      'a size over 2^53',
      () => new LSTMNet({ hiddenSize: Number.MAX_SAFE_INTEGER }),
      'LSTMNet: hiddenSize 9007199254740991',
    ],
    [
      'hiddenSize of LSTM',
      () => new LSTM({ inputSize: 1, hiddenSize: 8193 }),
      'LSTM: hiddenSize 8193 needs weight_hh_l0 of shape [32772,8193]',
    ],
    [
      'features of Linear',
      () => new Linear({ inFeatures: 1e6, outFeatures: 300 }),
      'Linear: inFeatures 1000000 with outFeatures 300 needs weight',
    ],
  ])('%s', (_, call, message) => {
    const { numTensors } = tf.memory()
    expect(call).toThrow(code('MODULE_OPTION'))
    expect(call).toThrow(message)
    expect(tf.memory().numTensors).toBe(numTensors)
  })
})

describe('the class in a message', () => {
  class RowReader extends LSTMNet {}

  it('is a subclass’s own name', () => {
    expect(() => new RowReader({ hiddenSize: 0 })).toThrow('RowReader: hiddenSize is 0')
    expect(() => new RowReader().forward(tf.zeros([2, 784]) as never)).toThrow('lstm_1 (LSTM, inputSize 28) expects')
    expect(() => new RowReader().loadStateDict({})).toThrow('the state dict does not fit RowReader: missing')
  })

  it('is the class that a nameless one extends', () => {
    expect(() => new (class extends LSTM {})({ inputSize: 1, hiddenSize: 0 })).toThrow('LSTM: hiddenSize is 0')
  })

  it('is Module where a nameless one extends only that', () => {
    expect(() => new (class extends Module {})().loadStateDict({ a: tf.scalar(1) })).toThrow(
      'does not fit Module: unexpected a',
    )
  })
})
