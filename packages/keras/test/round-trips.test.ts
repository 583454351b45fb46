import '@tensorflow/tfjs-backend-cpu'
import {
  Dropout,
  Embedding,
  GRU,
  GRUNet,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  Sequential,
} from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import * as tfc from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromKeras, type LayersArtifacts, toKeras, toLayersArtifacts } from '../src'

beforeAll(async () => {
  await tfc.setBackend('cpu')
})

const generator = new Generator(7)
const sizes = { inputSize: 3, hiddenSize: 4, generator }
const linear = () => new Linear({ inFeatures: 4, outFeatures: 2, generator })
const outputOf = (model: Layer, x = tfc.ones([2, 5, 3])) =>
  Array.from((model.eval().forward(x) as tfc.Tensor).dataSync())

describe('a model that was written for Keras and read again', () => {
  it('is the network that it was, with all of its layers and their dropout', async () => {
    const net = new GRUNet({ ...sizes, numLayers: 3, bidirectional: false, dropout: 0.2, numClasses: 2 })
    const again = (await fromKeras(await toKeras(net))) as GRUNet
    expect(again).toBeInstanceOf(GRUNet)
    expect(again.config).toEqual(net.config)
    expect(outputOf(again)).toEqual(outputOf(net))
  })

  it('keeps layers apart whose dropouts differ, as those of one layer do not', async () => {
    const gru = (inputSize: number) => new GRU({ inputSize, hiddenSize: 4, generator })
    const model = new Sequential({
      gru: gru(3),
      gru_l1_dropout: new Dropout({ p: 0.5 }),
      gru_l1: gru(4),
      gru_l2: gru(4),
    })
    const again = (await fromKeras(await toKeras(model))) as Sequential
    const kinds = again.namedChildren().map(([, child]) => (child instanceof GRU ? child.dropout : 'other'))
    expect(kinds).toEqual([0.5, 0]) // two layers with a dropout between them, and one without
  })

  it('keeps what is frozen frozen', async () => {
    const model = new Sequential({
      embedding: new Embedding({ numEmbeddings: 5, embeddingDim: 3, generator }).requiresGrad(false),
      lstm: new LSTM({ ...sizes, bidirectional: true }).requiresGrad(false),
      norm: new LayerNorm({ normalizedShape: 8 }),
    })
    for (const file of [await toKeras(model), await toLayersArtifacts(model)]) {
      const again = await fromKeras(file)
      expect(again.namedChildren().map(([name, child]) => [name, child.isFrozen])).toEqual([
        ['embedding', true],
        ['lstm', true],
        ['norm', false],
      ])
    }
    const net = new LSTMNet({ ...sizes, numClasses: 2 })
    net.namedChildren()[0][1].requiresGrad(false)
    const again = (await fromKeras(await toKeras(net))) as LSTMNet
    expect(Object.entries(again.parameters()).map(([name, { trainable }]) => [name, trainable])).toEqual(
      Object.entries(net.parameters()).map(([name, { trainable }]) => [name, trainable]),
    )
  })

  it('may pick the last step after layers that do the same to each', async () => {
    const model = new Sequential(
      new GRU(sizes),
      new Dropout(),
      new LayerNorm({ normalizedShape: 4 }),
      linear(),
      lastStep(),
    )
    const again = await fromKeras(await toKeras(model))
    outputOf(again).forEach((value, at) => {
      expect(value).toBeCloseTo(outputOf(model)[at], 6)
    })
  })
})

describe('fromKeras', () => {
  it('refuses a file of which a bit is another', async () => {
    const bytes = await toKeras(new LSTMNet({ ...sizes, numClasses: 2 }))
    const text = new TextDecoder('latin1').decode(bytes)
    const [begin, end] = [text.indexOf('model.weights.h5'), text.lastIndexOf('metadata.json')] // the directory repeats the names
    for (const share of [0.2, 0.5, 0.8]) {
      const at = begin + Math.floor((end - begin) * share)
      const damaged = bytes.slice()
      damaged[at] ^= 4
      await expect(fromKeras(damaged)).rejects.toThrow(
        expect.objectContaining({ code: 'KERAS_INVALID', message: expect.stringMatching(/broken, or cut off/) }),
      )
    }
  })

  it('refuses weights that are NaN, and keeps no tensor of layers that were built before', async () => {
    const model = new Sequential({ lstm: new LSTM(sizes), last: lastStep(), fc: linear() })
    const { weight } = model.namedChildren()[2][1].parameters()
    weight.assign(tfc.fill([2, 4], Number.NaN))
    const bytes = await toKeras(model)
    const before = tfc.memory().numTensors
    await expect(fromKeras(bytes)).rejects.toThrow(
      expect.objectContaining({ code: 'KERAS_INVALID', message: expect.stringMatching(/^the layer fc has NaN/) }),
    )
    expect(tfc.memory().numTensors).toBe(before)
  })

  it('says which settings of a layer are for training alone, and are left out', async () => {
    const artifacts = await toLayersArtifacts(new Sequential({ lstm: new LSTM(sizes), fc: linear() }))
    const text = JSON.stringify(artifacts.modelTopology)
    const edited = text.replace(
      '"units":4',
      '"units":4,"kernel_regularizer":{"l2":0.1},"recurrent_constraint":{},"noise_shape":null',
    )
    const notes: string[] = []
    await fromKeras({ ...artifacts, modelTopology: JSON.parse(edited) }, { onNote: (note) => notes.push(note) })
    expect(notes).toEqual([
      'lstm has a kernel_regularizer, which changes training alone, and is left out',
      'lstm has a recurrent_constraint, which changes training alone, and is left out',
    ])
  })

  it('says what a model.json lacks, and that weights are quantized', async () => {
    const {
      modelTopology,
      weightSpecs = [],
      weightData,
    } = await toLayersArtifacts(new LSTMNet({ ...sizes, numClasses: 2 }))
    const json = { modelTopology, weightsManifest: [{ paths: ['a.bin'], weights: weightSpecs }] }
    await expect(fromKeras(json as LayersArtifacts)).rejects.toThrow(/weights in other files: pass .* weightsManifest/)
    const quantized = weightSpecs.map((spec) => ({ ...spec, quantization: { dtype: 'float16' } }))
    await expect(fromKeras({ modelTopology, weightSpecs: quantized, weightData })).rejects.toThrow(
      /is quantized, expected float32: convert without quantization/,
    )
  })
})

describe('toKeras', () => {
  it.each([null, undefined, 3, {}])('refuses %s', async (model) => {
    await expect(toKeras(model as unknown as Layer)).rejects.toThrow(
      expect.objectContaining({
        code: 'KERAS_UNSUPPORTED',
        message: expect.stringMatching(/expected a layer or a network/),
      }),
    )
  })
})
