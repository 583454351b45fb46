import '@tensorflow/tfjs-backend-cpu'
import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  GRUNet,
  Graph,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  meanOverTime,
  ReLU,
  RNN,
  RNNNet,
  Sequential,
  Sigmoid,
  Softmax,
  Tanh,
} from '@rowwise/models-rnn'
import { accelerate } from '@rowwise/tfjs-layers'
import { Generator } from '@rowwise/torch-random'
import * as tfc from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-layers'
import { strFromU8, unzipSync } from 'fflate'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromKeras, toKeras, toLayersArtifacts, toLayersModel } from '../src'

const generator = new Generator(5)
const sizes = { inputSize: 3, hiddenSize: 4, generator }
const difference = (a: tfc.Tensor, b: tfc.Tensor): number => tfc.max(tfc.abs(tfc.sub(a, b))).dataSync()[0]

const models: [string, () => Layer][] = [
  ['LSTMNet of two layers', () => new LSTMNet({ ...sizes, numLayers: 2, numClasses: 2 })],
  ['GRUNet', () => new GRUNet({ ...sizes, numClasses: 2 })],
  ['RNNNet with relu', () => new RNNNet({ ...sizes, numClasses: 2, nonlinearity: 'relu' })],
  [
    'bidirectional layers and activations',
    () =>
      new Sequential(
        new LSTM({ ...sizes, bidirectional: true, numLayers: 2, dropout: 0.2 }),
        new LayerNorm({ normalizedShape: 8 }),
        new GRU({ inputSize: 8, hiddenSize: 3, bidirectional: true, generator }),
        finalHidden(),
        new Linear({ inFeatures: 6, outFeatures: 5, generator }),
        new Tanh(),
        new Linear({ inFeatures: 5, outFeatures: 2, bias: false, generator }),
        new Softmax(),
      ),
  ],
  [
    'all steps',
    () =>
      new Sequential({
        gru: new GRU({ ...sizes, resetAfter: false }),
        drop: new Dropout(),
        fc: new Linear({ inFeatures: 4, outFeatures: 2, generator }),
        act: new Sigmoid(),
      }),
  ],
  ['a mean', () => new Sequential(new RNN({ ...sizes, bias: false }), meanOverTime(), new ReLU())],
]
const embedded = () =>
  new Sequential(
    new Embedding({ numEmbeddings: 9, embeddingDim: 3, generator }),
    new LSTM(sizes),
    lastStep(),
    new Linear({ inFeatures: 4, outFeatures: 2, generator }),
  )

beforeAll(async () => {
  await tfc.setBackend('cpu')
})

describe('toKeras and fromKeras', () => {
  it.each(models)('give %s back with the same outputs', async (_, make) => {
    const model = make().eval()
    const x = tfc.tensor(generator.uniform(new Float32Array(2 * 5 * 3), -1, 1), [2, 5, 3])
    const again = await fromKeras(await toKeras(model))
    expect(difference(again.eval().forward(x) as tfc.Tensor, model.forward(x) as tfc.Tensor)).toBeLessThan(1e-6)
  })

  it('name the input otherwise than a layer', async () => {
    const model = new Sequential({ input_layer: new LSTM(sizes), last: lastStep() })
    const { 'config.json': config } = unzipSync(await toKeras(model))
    const { layers } = JSON.parse(strFromU8(config)).config
    expect(layers.map((layer: { config: { name: string } }) => layer.config.name)).toEqual([
      'input_layer_',
      'input_layer',
    ])
  })

  it('gives the same bytes for the same weights', async () => {
    const model = new LSTMNet({ ...sizes, numClasses: 2 })
    expect(await toKeras(model)).toEqual(await toKeras(model))
  })
})

describe('toLayersModel', () => {
  it('gives layers without steps to tf.layers', async () => {
    const model = new Sequential(new Linear({ inFeatures: 3, outFeatures: 2, generator }), new Tanh())
    const x = tfc.tensor(generator.uniform(new Float32Array(12), -1, 1), [4, 3])
    const layersModel = await toLayersModel(tf, model)
    expect(difference(layersModel.predict(x) as tfc.Tensor, model.forward(x))).toBeLessThan(1e-6)
    const { 'config.json': config } = unzipSync(await toKeras(model))
    expect(JSON.parse(strFromU8(config)).build_config).toEqual({ input_shape: [null, 3] })
  })

  it.each(models)('gives %s to tf.layers, and fromKeras what tf.layers saves of it', async (_, make) => {
    const undo = accelerate(tf) // for the GRU
    const model = make().eval()
    const x = tfc.tensor(generator.uniform(new Float32Array(2 * 5 * 3), -1, 1), [2, 5, 3])
    const expected = model.forward(x) as tfc.Tensor
    const layersModel = await toLayersModel(tf, model)
    expect(difference(layersModel.predict(x) as tfc.Tensor, expected)).toBeLessThan(1e-6)
    let saved: tfc.io.ModelArtifacts = {}
    await layersModel.save({
      async save(artifacts) {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      },
    })
    const again = await fromKeras(saved as Parameters<typeof fromKeras>[0])
    expect(difference(again.eval().forward(x) as tfc.Tensor, expected)).toBeLessThan(1e-6)
    undo()
  })

  it('gives embeddings their indices', async () => {
    const model = embedded()
    const words = tfc.tensor2d(
      [
        [1, 2, 3],
        [8, 0, 4],
      ],
      [2, 3],
      'int32',
    )
    const layersModel = await toLayersModel(tf, model)
    expect(difference(layersModel.predict(words) as tfc.Tensor, model.forward(words))).toBeLessThan(1e-6)
  })

  it('says what a GRU needs when tf.layers refuses it', async () => {
    await expect(toLayersModel(tf, new GRUNet({ ...sizes, numClasses: 2 }))).rejects.toThrow(
      expect.objectContaining({ code: 'KERAS_UNSUPPORTED', message: expect.stringContaining('call accelerate(tf)') }),
    )
  })

  it.each<[string, () => Layer, string]>([
    ['projections', () => new LSTM({ ...sizes, projSize: 2 }), 'projections'],
    ['the last step of both directions', () => new LSTMNet({ ...sizes, bidirectional: true }), 'use finalHidden()'],
    [
      'a class with its own forward',
      () =>
        new Sequential(
          new LSTM(sizes),
          new (class Doubled extends Tanh {
            override forward(x: tfc.Tensor) {
              return tfc.mul(super.forward(x), 2)
            }
          })(),
        ),
      '1 is a Doubled with its own forward',
    ],
    [
      'a Graph',
      () => new Graph({ inputs: ['x'], nodes: { lstm: { layer: new LSTM(sizes), input: 'x' } }, output: 'lstm' }),
      'a chain of layers',
    ],
  ])('refuses %s', async (_, make, message) => {
    await expect(toLayersArtifacts(make())).rejects.toThrow(
      expect.objectContaining({ code: 'KERAS_UNSUPPORTED', message: expect.stringContaining(message) }),
    )
  })
})
