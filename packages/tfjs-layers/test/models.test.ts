import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tfc from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Acceleration, accelerate, accelerateModel } from '../src'
import { classifier, difference, drawn, losses, output, seeded } from './numbers'

const read = (path: string) => readFileSync(new URL(`./fixtures/keras/${path}`, import.meta.url))
const expected = JSON.parse(read('expected.json').toString()) as { x: number[][][]; y: Record<string, number[][]> }

/** A model that Keras 2.15 saved, by tfjs's converter. */
function load(name: string): Promise<tf.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(read(`${name}/model.json`).toString())
  const weightData = Uint8Array.from(read(`${name}/group1-shard1of1.bin`)).buffer
  const weightSpecs = weightsManifest.flatMap(({ weights }: { weights: object[] }) => weights)
  return tf.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) })
}

describe.each(['wasm', 'cpu'])('models on the %s backend', (backend) => {
  let undo: Acceleration

  beforeAll(async () => {
    await tfc.setBackend(backend)
  })
  beforeEach(() => {
    undo = accelerate(tf)
  })
  afterEach(() => undo())

  it.each(['seq', 'bi', 'mask', 'gru', 'gruBefore', 'encdec'])(
    "loads Keras's %s and gives Keras's outputs",
    async (name) => {
      const model = await load(name)
      expect(difference(output(model, tfc.tensor(expected.x)), expected.y[name].flat(3))).toBeLessThan(2e-6)
      expect(undo.report().every(({ fused, original }) => fused > 0 && original === 0)).toBe(true)
    },
  )

  it('saves a GRU with reset_after so that it loads again, and without the kernels computes the same', async () => {
    const model = await load('gru')
    let saved: tfc.io.ModelArtifacts = {}
    await model.save({
      save: async (artifacts) => {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      },
    })
    const again = await tf.loadLayersModel({ load: async () => saved })
    const x = tfc.tensor(expected.x)
    const outputs = output(again, x)
    expect(difference(outputs, expected.y.gru.flat())).toBeLessThan(2e-6)
    undo()
    expect(difference(output(again, x), outputs)).toBeLessThan(2e-6)
  })

  it('loads an RNN of a GRUCell with reset_after, which computes what the GRU does', async () => {
    const gru = await load('gru')
    const { modelTopology } = JSON.parse(read('gru/model.json').toString())
    const [input, { config }] = modelTopology.model_config.config.layers
    const { batch_input_shape: _, ...ofCell } = config
    const layers = [
      input,
      { class_name: 'RNN', config: { name: 'rnn', cell: { class_name: 'GRUCell', config: ofCell } } },
    ]
    const topology = { class_name: 'Sequential', config: { name: 'of_a_cell', layers } }
    const model = await tf.loadLayersModel({ load: async () => ({ modelTopology: topology }) })
    const layer = gru.layers.find((each) => each.getClassName() === 'GRU') as tf.layers.Layer
    model.setWeights(layer.getWeights())
    const x = tfc.tensor(expected.x)
    const reference = output(tf.model({ inputs: gru.inputs, outputs: layer.output as tf.SymbolicTensor }), x)
    expect(difference(output(model, x), reference)).toBeLessThan(2e-6)
    undo()
    expect(difference(output(model, x), reference)).toBeLessThan(2e-6)
  })

  it('fits with the losses of tfjs-layers over 50 steps', async () => {
    const fused = await losses(classifier(), 50)
    undo()
    expect(difference(fused, await losses(classifier(), 50))).toBeLessThan(1e-5)
  })

  it('trains an Embedding with masked zeros, as tfjs-layers does on the cpu backend', async () => {
    const words = Array.from({ length: 16 }, (_, row) =>
      Array.from({ length: 9 }, (_, t) => (t < 2 + (row % 7) ? 1 + ((row * 5 + t * 3) % 11) : 0)),
    )
    const history = async () => {
      const model = tf.sequential({
        layers: [
          tf.layers.embedding({
            inputDim: 12,
            outputDim: 4,
            maskZero: true,
            inputLength: 9,
            embeddingsInitializer: tf.initializers.randomUniform({ seed: 3 }),
          }),
          tf.layers.lstm({ units: 5, ...seeded(1) }),
          tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotUniform({ seed: 7 }) }),
        ],
      })
      model.compile({ optimizer: tfc.train.adam(0.01), loss: 'meanSquaredError' })
      const { history } = await model.fit(tfc.tensor2d(words), drawn(2, 16, 1), {
        epochs: 10,
        batchSize: 8,
        shuffle: false,
        verbose: 0,
      })
      return history.loss as number[]
    }
    const fused = await history()
    undo()
    await tfc.setBackend('cpu')
    const plain = await history()
    await tfc.setBackend(backend)
    expect(difference(fused, plain)).toBeLessThan(1e-5)
  })

  it('runs layers within TimeDistributed and within other models', async () => {
    const inner = tf.sequential({ layers: [tf.layers.lstm({ units: 3, inputShape: [5, 2], ...seeded(1) })] })
    const model = tf.sequential({
      layers: [
        tf.layers.timeDistributed({ layer: inner as never, inputShape: [4, 5, 2] }),
        tf.layers.gru({ units: 2, ...seeded(4) }),
      ],
    })
    const x = drawn(3, 2, 4, 5, 2)
    const fused = output(model, x)
    expect(undo.report().map(({ className, fused, original }) => `${className} ${fused} ${original}`)).toEqual([
      'LSTM 4 0',
      'GRU 1 0',
    ])
    undo()
    expect(difference(output(model, x), fused)).toBeLessThan(2e-6)
  })

  it('leaks no tensor in fit and predict', async () => {
    const model = classifier({ dropout: 0.2 })
    await losses(model, 4)
    output(model, drawn(1, 3, 7, 3))
    const before = tfc.memory().numTensors
    for (let step = 0; step < 20; step++) output(model, drawn(1, 3, 7, 3))
    await model.fit(drawn(1, 32, 7, 3), drawn(2, 32, 2), { epochs: 5, batchSize: 16, verbose: 0 })
    expect(tfc.memory().numTensors - before).toBe(20 + 2) // what this test drew
  })
})

describe('accelerate', () => {
  beforeAll(async () => {
    await tfc.setBackend('wasm')
  })

  it('takes everything back, when the last of several users does', () => {
    const known = () => [
      tf.RNN.prototype.call,
      tfc.getKernel('GatherV2', 'wasm')?.kernelFunc,
      tfc.getKernel('UnsortedSegmentSum', 'wasm'),
      tfc.serialization.SerializationMap.getMap().classNameMap.GRU,
    ]
    const before = known()
    const [first, second] = [accelerate(tf), accelerate(tf)]
    first()
    first()
    expect(known()).not.toEqual(before)
    second()
    expect(known()).toEqual(before)
  })

  it('leaves the function of somebody who wrapped it, and computes nothing any more', () => {
    const original = tf.RNN.prototype.call
    const undo = accelerate(tf)
    const { call } = tf.RNN.prototype
    const wrapped: typeof call = function wrapped(this: unknown, ...given) {
      return call.apply(this as never, given)
    }
    tf.RNN.prototype.call = wrapped
    undo()
    expect(tf.RNN.prototype.call).toBe(wrapped)
    output(classifier(), drawn(1, 3, 7, 3))
    expect(undo.report()).toEqual([])
    tf.RNN.prototype.call = original
  })

  it('counts no name of a layer', () => {
    const numberOf = () => Number(/\d+$/.exec(tf.layers.gru({ units: 1 }).name)?.[0])
    const before = numberOf()
    accelerate(tf)()
    expect(numberOf()).toBe(before + 1)
  })

  it('changes nothing when a part of tfjs-layers is missing', () => {
    const { call } = tf.RNN.prototype
    expect(() => accelerate({ RNN: tf.RNN, layers: tf.layers } as never)).toThrow('expected tfjs-layers')
    expect(() => accelerate(tfc as never)).toThrow('accelerate got tfjs-core')
    expect(tf.RNN.prototype.call).toBe(call)
  })

  it.each([undefined, {}, { RNN: class {} }])('refuses %o, which is not tfjs-layers', (given) => {
    expect(() => accelerate(given as never)).toThrow(expect.objectContaining({ code: 'TFJS_LAYERS_INVALID' }))
  })
})

describe('accelerateModel', () => {
  it('runs one model fused and changes nothing else', () => {
    const [model, other] = [classifier(), classifier()]
    const x = drawn(1, 3, 7, 3)
    const plain = output(model, x)
    const undo = accelerateModel(model)
    const places = undo.report().map(({ layer }) => layer.replace(/\d+/g, '#'))
    expect(places).toEqual([
      'lstm_LSTM#',
      'bidirectional_Bidirectional#/forward_gru_GRU#',
      'bidirectional_Bidirectional#/backward_gru_GRU#',
    ])
    const fused = output(model, x)
    expect(difference(fused, plain)).toBeLessThan(2e-6)
    expect(undo.report().map(({ fused }) => fused)).toEqual([1, 1, 1])
    output(other, x)
    expect(undo.report().map(({ fused }) => fused)).toEqual([1, 1, 1])
    undo()
    expect(Array.from(output(model, x))).toEqual(Array.from(plain))
  })

  it('of several users ends with the last of them, in any order', () => {
    const model = classifier()
    const [first, second] = [accelerateModel(model), accelerateModel(model)]
    first()
    output(model, drawn(1, 3, 7, 3))
    expect([first.report()[0].fused, second.report()[0].fused]).toEqual([0, 1])
    second()
    expect(Object.hasOwn(model.layers[0], 'call')).toBe(false)
  })

  it('says before any call why a layer will not run fused', () => {
    const model = tf.sequential({
      layers: [tf.layers.lstm({ units: 2, inputShape: [3, 1], activation: 'elu', ...seeded(1) })],
    })
    expect(accelerateModel(model).report()[0]).toMatchObject({
      fused: 0,
      original: 0,
      reason: 'its activation is elu, the kernels have tanh',
    })
  })

  it.each([
    ['something else', () => ({}), 'expects a model or a layer'],
    [
      'a model without recurrent layers',
      () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
      'without a recurrent layer',
    ],
  ])('refuses %s', (_, make, message) => {
    const model = make()
    expect(() => accelerateModel(model)).toThrow(
      expect.objectContaining({ code: 'TFJS_LAYERS_INVALID', message: expect.stringContaining(message) }),
    )
  })
})

describe('the kernels of the WASM backend', () => {
  let undo: Acceleration
  beforeAll(async () => {
    await tfc.setBackend('wasm')
    undo = accelerate(tf)
    return () => undo()
  })

  it.each([
    ['float32', [7, 3, 2]],
    ['int32', [7, 3]],
    ['bool', [7, 2]],
    ['float32', [7]],
  ] as const)('gathers rows of %s %j', (dtype, shape) => {
    const x = tfc.cast(tfc.reshape(tfc.range(0, tfc.util.sizeFromShape([...shape])), [...shape]), dtype)
    const rows = [6, 0, 3, 3]
    const stacked = tfc.stack(rows.map((row) => tfc.squeeze(tfc.slice(x, [row], [1]), [0])))
    expect(tfc.gather(x, rows).arraySync()).toEqual(stacked.arraySync())
  })

  it('gathers rows, and sums segments, of a tensor that another backend holds and that makes the memory grow', async () => {
    await tfc.setBackend('cpu')
    const [large, larger] = [1, 2].map((value) => tfc.fill([9_000_000 * value, 2], value))
    await tfc.setBackend('wasm')
    expect(tfc.gather(large, [8_999_999]).arraySync()).toEqual([[1, 1]])
    expect(tfc.unsortedSegmentSum(larger, tfc.fill([18_000_000], -1, 'int32') as tfc.Tensor1D, 1).arraySync()).toEqual([
      [0, 0],
    ])
    tfc.dispose([large, larger])
  })

  it('leaves other axes to the backend, and refuses a row that is not there', () => {
    const x = tfc.tensor2d([
      [1, 2],
      [3, 4],
    ])
    expect(tfc.gather(x, [1, 0], 1).arraySync()).toEqual([
      [2, 1],
      [4, 3],
    ])
    expect(() => tfc.gather(x, [2])).toThrow('the index value 2 is not in [0, 1]')
  })

  it('sums the rows of each segment', () => {
    const sums = tfc.unsortedSegmentSum(
      tfc.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tfc.tensor1d([2, 0, 2], 'int32'),
      4,
    )
    expect(sums.arraySync()).toEqual([
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ])
  })
})
