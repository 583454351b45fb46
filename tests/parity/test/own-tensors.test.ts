import { LSTM } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'

describe.each(['wasm', 'cpu'])('a state dict of the model’s own tensors on the %s backend', (backend) => {
  it('changes them all at once', async () => {
    await tf.setBackend(backend)
    const model = new LSTM({ inputSize: 4, hiddenSize: 4, numLayers: 3, generator: new Generator(0) })
    const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync())
    const before = Object.fromEntries(Object.entries(model.stateDict()).map(([name, of]) => [name, values(of)]))
    const next = (name: string) => name.replace(/_l(\d)/, (_, layer) => `_l${(Number(layer) + 1) % 3}`)
    model.loadStateDict(Object.fromEntries(Object.keys(before).map((name) => [name, model.stateDict()[next(name)]])))
    for (const [name, of] of Object.entries(model.stateDict())) expect(values(of), name).toEqual(before[next(name)])
  })
})
