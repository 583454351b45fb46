import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeSafetensors,
  encodeSafetensors,
  GRUNet,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  load,
  loadNet,
  RNNNet,
  Sequential,
  save,
} from '../src'

const code = (code: string) => expect.objectContaining({ code })
const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))
const net = (seed = 1) => {
  const generator = new Generator(seed)
  const [lstm, fc] = [
    new LSTM({ inputSize: 28, hiddenSize: 64, generator }),
    new Linear({ inFeatures: 64, outFeatures: 10, generator }),
  ]
  return new Sequential({ lstm_1: lstm, last: lastStep(), fc_1: fc })
}
const weights = (model: Sequential) => encodeSafetensors(model.stateDict())

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('save and load', () => {
  it('carry the weights of any module over, to the bit', async () => {
    const [from, to] = [net(1), net(2)]
    expect(load(to, await save(from, { metadata: { note: 'x' } }))).toBe(to)
    expect(weights(to)).toEqual(weights(from))
    expect(decodeSafetensors(await save(from, { metadata: { note: 'x' } })).metadata).toEqual({
      format: 'pt',
      note: 'x',
    })
  })

  it.each(['module', 'orig_mod', 'float16', 'bfloat16', 'metanull'])('read a file as users have it: %s', (name) => {
    const notes: string[] = []
    const found = load(net(), fixture(name), { onNote: (note) => notes.push(note) })
    expect(weights(found)).toEqual(weights(LSTMNet.fromSafetensors(fixture(name))))
    expect(notes.length > 0).toBe(name === 'module' || name === 'orig_mod')
  })

  it.each([
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const)('write %s, rounded to the nearest, in half the room', async (dtype, unit) => {
    const from = net()
    const file = await save(from, { dtype })
    expect(file.length).toBeLessThan((await save(from)).length * 0.52)
    expect(Object.values(decodeSafetensors(file).tensors).map((tensor) => tensor.dtype)).toEqual(
      new Array(6).fill(dtype),
    )
    const found = load(net(5), file)
    for (const [name, tensor] of Object.entries(from.stateDict())) {
      const values = tensor.dataSync()
      found
        .stateDict()
        [name].dataSync()
        .forEach((value, at) => {
          expect(Math.abs(value - values[at])).toBeLessThanOrEqual(unit * Math.abs(values[at]) + 2 ** -25)
        })
    }
  })

  it('refuse a weight that F16 cannot hold, and a dtype that nobody writes', async () => {
    const model = new Linear({ inFeatures: 1, outFeatures: 1 })
    model.parameters().weight.assign(tf.tensor2d([[7e4]]))
    await expect(save(model, { dtype: 'F16' })).rejects.toThrow(
      /weight of Linear has the weight 70000, F16 ends at 65504/,
    )
    expect(
      load(model, await save(model, { dtype: 'BF16' }))
        .parameters()
        .weight.dataSync()[0],
    ).toBe(70144)
    await expect(save(model, { dtype: 'F8' as never })).rejects.toThrow(code('MODULE_OPTION'))
  })

  it('say that load wants bytes, and not a path', () => {
    expect(() => load(net(), 'model.safetensors' as never)).toThrow(
      /load got the text "model\.safetensors", expected the bytes of a safetensors file.*load\(await readFile\("model\.safetensors"\)\)/,
    )
    expect(() => LSTMNet.fromSafetensors('a.safetensors' as never)).toThrow(/LSTMNet\.fromSafetensors got the text/)
  })

  it('say what is no module', async () => {
    await expect(save({} as never)).rejects.toThrow(/save got an object with nothing in it, expected a module first/)
    expect(() => load(null as never, fixture('module'))).toThrow(/load got null, expected a module first/)
  })

  it('change nothing where a file does not fit', async () => {
    const model = net()
    const before = weights(model)
    expect(() => load(model, fixture('gru'))).toThrow(/three gates for each of 64 units: a GRU, not an LSTM/)
    expect(weights(model)).toEqual(before)
  })
})

describe('networks of other cells', () => {
  const shape = { inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, dropout: 0.1 }

  it.each([
    ['LSTMNet', () => new LSTMNet(shape), LSTMNet],
    ['GRUNet', () => new GRUNet(shape), GRUNet],
    ['RNNNet', () => new RNNNet({ ...shape, nonlinearity: 'relu' }), RNNNet],
  ] as const)('come back from their files as what they are: %s', async (name, make, Net) => {
    const model = make()
    const file = await save(model)
    const found = loadNet(file)
    expect(found).toBeInstanceOf(Net)
    expect([found.config, Net.name]).toEqual([model.config, name])
    expect(weights(found)).toEqual(weights(model))
    expect(Net.fromSafetensors(file).config).toEqual(model.config)
  })

  it('are refused by each other, by the name of what the file holds', async () => {
    const file = await save(new GRUNet({ inputSize: 3, hiddenSize: 2 }))
    const rename = { gru_1: 'lstm_1' }
    expect(() => LSTMNet.fromSafetensors(file, { rename })).toThrow(/lstm_1 of the state dict is a GRU, not an LSTM/)
    expect(() => RNNNet.fromSafetensors(fixture('gru'), { rename: { lstm_1: 'rnn_1' } })).toThrow(
      /rnn_1 of the state dict is a GRU, not a plain RNN: its weight_hh_l0 \[192,64\] has three gates .* a plain RNN has one/,
    )
  })

  it('load what PyTorch saved under another name, with rename', () => {
    const rename = { lstm_1: 'gru_1' }
    expect(loadNet(fixture('gru'), { rename })).toBeInstanceOf(GRUNet)
    expect(GRUNet.fromSafetensors(fixture('gru'), { rename }).config.hiddenSize).toBe(64)
    expect(() => GRUNet.fromSafetensors(fixture('gru'))).toThrow(/pass rename: \{ lstm_1: 'gru_1' \}/)
  })

  it('know their nonlinearity from the config alone', async () => {
    const model = new RNNNet({ inputSize: 3, hiddenSize: 2, nonlinearity: 'relu' })
    expect(RNNNet.fromStateDict(model.stateDict()).config.nonlinearity).toBe('tanh')
    expect(RNNNet.fromStateDict(model.stateDict(), { nonlinearity: 'relu' }).config.nonlinearity).toBe('relu')
    const config = JSON.stringify({ ...model.config, nonlinearity: 'gelu' })
    expect(() => RNNNet.fromSafetensors(encodeSafetensors(model.stateDict(), { config }))).toThrow(
      /nonlinearity the text "gelu"/,
    )
    expect(() => LSTMNet.fromStateDict({}, { nonlinearity: 'relu' })).toThrow(/no option 'nonlinearity'/)
  })
})
