import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { LSTM, LSTMNet, type StateDict } from '../src'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))
const code = (code: string) => expect.objectContaining({ code })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('a file of another model', () => {
  const file = (name: string) => () => LSTMNet.fromSafetensors(fixture(name))

  it('of a GRU is named, with what to do', () => {
    expect(file('gru')).toThrow(code('STATE_DICT_MISMATCH'))
    expect(file('gru')).toThrow(
      /lstm_1 of the state dict is a GRU, not an LSTM: its weight_hh_l0 \[192,64\] has three gates.*LSTMNet takes the weights of torch\.nn\.LSTM: train one/,
    )
  })

  it('of a plain RNN is named, with what to do', () => {
    expect(file('rnn')).toThrow(
      /lstm_1 of the state dict is a plain RNN, not an LSTM: its weight_hh_l0 \[64,64\] has one gate/,
    )
  })

  const gru = (prefix: string): StateDict => ({
    [`${prefix}weight_ih_l0`]: tf.zeros([6, 3]),
    [`${prefix}weight_hh_l0`]: tf.zeros([6, 2]),
    'fc.weight': tf.zeros([4, 2]),
    'fc.bias': tf.zeros([4]),
  })

  it.each(['gru.', 'module.gru.', 'lstm_1._orig_mod.'])('of a GRU is named under the prefix %s too', (prefix) => {
    expect(() => LSTMNet.fromStateDict(gru(prefix))).toThrow(/is a GRU, not an LSTM/)
  })

  it('of a GRU is named by loadStateDict', () => {
    expect(() =>
      new LSTM({ inputSize: 3, hiddenSize: 2, bias: false }).loadStateDict(gru(''), { strict: false }),
    ).toThrow(
      /weight_hh_l0 has shape \[6,2\], the model's has \[8,2\] \(three gates for each of 2 units: a GRU, not an LSTM\)/,
    )
  })

  it('of an LSTM with projections is named', () => {
    const dict = {
      'lstm_1.weight_ih_l0': tf.zeros([8, 3]),
      'lstm_1.weight_hh_l0': tf.zeros([8, 1]),
      'lstm_1.weight_hr_l0': tf.zeros([1, 2]),
      'fc_1.weight': tf.zeros([4, 1]),
    }
    expect(() => LSTMNet.fromStateDict(dict)).toThrow(
      /lstm_1 of the state dict is an LSTM with projections \(proj_size\)/,
    )
  })

  it('of an LSTM alone is named, with what loads it', () => {
    const dict = new LSTM({ inputSize: 3, hiddenSize: 2 }).stateDict()
    expect(() => LSTMNet.fromStateDict(dict)).toThrow(
      /no linear layer \[classes, 2\] after the LSTM \(one alone is loaded by LSTM\.loadStateDict\)/,
    )
  })

  it('without an LSTM lists its names, of many only the first', () => {
    const dict = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`conv.${i}.weight`, tf.scalar(0)]))
    expect(() => LSTMNet.fromStateDict(dict)).toThrow(
      /no LSTM.*its names are conv\.0\.weight, conv\.1\.weight, .* and 76 more/,
    )
  })

  it('shows a name that could steer a terminal in quotes', () => {
    expect(() => LSTMNet.fromStateDict({ 'a\u001b[31m\u009b\n': tf.scalar(0) })).toThrow(
      'its names are "a\\u001b[31m\\u009b\\n"',
    )
  })
})
