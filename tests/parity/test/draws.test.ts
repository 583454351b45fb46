import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Embedding, GRU, LSTM, type Module, RNN } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

interface Draw {
  seed: number
  module?: string
  parameters?: Record<string, { shape: number[]; sha256: string }>
  normal?: number[]
}
const { draws } = JSON.parse(readFileSync(new URL('../vectors/draws.json', import.meta.url), 'utf8')) as {
  draws: Draw[]
}

/** The modules as the file names them. */
const MODULES: Record<string, (generator: Generator) => Module> = {
  'GRU(28, 64, 2, bidirectional)': (generator) =>
    new GRU({ inputSize: 28, hiddenSize: 64, numLayers: 2, bidirectional: true, generator }),
  'RNN(5, 8, 2)': (generator) => new RNN({ inputSize: 5, hiddenSize: 8, numLayers: 2, generator }),
  'LSTM(12, 20, 2, bias=False)': (generator) =>
    new LSTM({ inputSize: 12, hiddenSize: 20, numLayers: 2, bias: false, generator }),
}

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('initial weights', () => {
  it.each(draws.filter(({ module }) => module))(
    'of $module after manual_seed($seed) are PyTorch’s, to the bit',
    (draw) => {
      const { seed, module = '', parameters } = draw
      const found = Object.entries(MODULES[module](new Generator(seed)).stateDict()).map(([name, tensor]) => {
        const values = tensor.dataSync()
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
        return [name, { shape: tensor.shape, sha256: createHash('sha256').update(bytes).digest('hex') }]
      })
      const expected = Object.entries(parameters ?? {}).map(([name, { shape, sha256 }]) => [name, { shape, sha256 }])
      expect(found).toEqual(expected)
    },
  )

  it.each(draws.filter(({ normal }) => normal))('of an Embedding after manual_seed($seed) are normal_’s', (draw) => {
    const { seed, normal = [] } = draw
    const layer = new Embedding({ numEmbeddings: normal.length / 4, embeddingDim: 4, generator: new Generator(seed) })
    const found = layer.stateDict().weight.dataSync()
    normal.forEach((value, at) => {
      expect(Math.abs(found[at] - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)))
    })
  })
})
