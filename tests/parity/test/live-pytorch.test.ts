import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  decodeSafetensors,
  encodeSafetensors,
  GRUNet,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  load,
  RNNNet,
  Sequential,
  save,
} from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { worstError } from './vectors'

const script = new URL('../python/state_dict.py', import.meta.url).pathname
const python = [process.env.ROWWISE_PYTHON, '/usr/bin/python3', 'python3'].find(
  (candidate) => candidate && spawnSync(candidate, ['-c', 'import torch']).status === 0,
)
const file = () => join(mkdtempSync(join(tmpdir(), 'rowwise-torch-')), 'model.safetensors')
const run = (...args: string[]): number[][] =>
  JSON.parse(execFileSync(python as string, [script, ...args], { encoding: 'utf8' }))

/** The input that the script uses: 2 × 28 × 28 numbers from −0.4 to 2.8. */
const ramp = () =>
  tf.tensor3d(
    Float32Array.from({ length: 1568 }, (_, i) => -0.4 + (3.2 * i) / 1567),
    [2, 28, 28],
  )

beforeAll(async () => {
  await tf.setBackend('wasm')
})

/** Networks as PyTorch is told of them, and the same here. */
const networks: [name: string, spec: object, make: (generator: Generator) => Sequential][] = [
  ['LSTMNet', { name: 'lstm_1', module: 'LSTM' }, (generator) => new LSTMNet({ generator })],
  [
    'LSTMNet of two layers in both directions',
    { name: 'lstm_1', module: 'LSTM', num_layers: 2, bidirectional: true },
    (generator) => new LSTMNet({ numLayers: 2, bidirectional: true, generator }),
  ],
  ['GRUNet', { name: 'gru_1', module: 'GRU', num_layers: 2 }, (generator) => new GRUNet({ numLayers: 2, generator })],
  [
    'GRUNet in both directions',
    { name: 'gru_1', module: 'GRU', bidirectional: true, hiddenSize: 20 },
    (generator) => new GRUNet({ bidirectional: true, hiddenSize: 20, generator }),
  ],
  ['RNNNet', { name: 'rnn_1', module: 'RNN' }, (generator) => new RNNNet({ generator })],
  [
    'RNNNet of relu without biases',
    { name: 'rnn_1', module: 'RNN', nonlinearity: 'relu', bias: false, num_layers: 2 },
    (generator) => new RNNNet({ nonlinearity: 'relu', bias: false, numLayers: 2, generator }),
  ],
  [
    'an LSTM with projections',
    { name: 'lstm', module: 'LSTM', projSize: 12, num_layers: 2, bidirectional: true, hiddenSize: 30 },
    (generator) =>
      new Sequential({
        lstm: new LSTM({ inputSize: 28, hiddenSize: 30, projSize: 12, numLayers: 2, bidirectional: true, generator }),
        last: lastStep(),
        fc_1: new Linear({ inFeatures: 24, outFeatures: 10, generator }),
      }),
  ],
]

// Needs a python3 with torch (ROWWISE_PYTHON names another one); CI installs Debian's.
describe.skipIf(python === undefined)('with a live PyTorch', () => {
  it.each(networks)('what we write loads there by name and shape and gives our logits: %s', async (_, spec, make) => {
    const model = make(new Generator(7))
    const path = file()
    writeFileSync(path, await save(model))
    const logits = model.forward(ramp()).dataSync()
    expect(worstError(logits, run('read', path, JSON.stringify(spec)).flat(), { absolute: 1e-5 })).toBeLessThan(1)
  })

  it.each(networks)(
    'what it writes loads here, gives its logits, and is what manual_seed(3) gives here: %s',
    (_, spec, make) => {
      const path = file()
      const expected = run('write', path, JSON.stringify(spec)).flat()
      const { tensors } = decodeSafetensors(readFileSync(path))
      const model = load(make(new Generator(0)), readFileSync(path))
      expect(worstError(model.forward(ramp()).dataSync(), expected, { absolute: 1e-5 })).toBeLessThan(1)
      expect(encodeSafetensors(make(new Generator(3)).stateDict())).toEqual(encodeSafetensors(tensors))
    },
  )
})
