import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeSafetensors, encodeSafetensors, LSTMNet } from '@rowwise/models-rnn'
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

// Needs a python3 with torch (ROWWISE_PYTHON names another one); CI installs Debian's.
describe.skipIf(python === undefined)('with a live PyTorch', () => {
  it('our state dict loads there by name and shape and gives our logits', () => {
    const model = new LSTMNet({ generator: new Generator(7) })
    const path = file()
    writeFileSync(path, encodeSafetensors(model.stateDict(), { format: 'pt' }))
    const logits = model.forward(ramp()).dataSync()
    expect(worstError(logits, run('read', path).flat(), { absolute: 1e-5 })).toBeLessThan(1)
  })

  it('its state dict loads here by name and shape, gives its logits, and is what manual_seed(3) gives here', () => {
    const path = file()
    const expected = run('write', path).flat()
    const { tensors } = decodeSafetensors(readFileSync(path))
    const model = LSTMNet.fromStateDict(tensors)
    expect(worstError(model.forward(ramp()).dataSync(), expected, { absolute: 1e-5 })).toBeLessThan(1)
    expect(encodeSafetensors(new LSTMNet({ generator: new Generator(3) }).stateDict())).toEqual(
      encodeSafetensors(tensors),
    )
  })
})
