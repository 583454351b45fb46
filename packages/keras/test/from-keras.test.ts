import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import { GRUNet, Graph, Sequential } from '@rowwise/models-rnn'
import { type Scalar, setBackend, sum, type Tensor, tensor, variableGrads } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromKeras, isRowwiseError, type LayersArtifacts } from '../src'

interface Numbers {
  shape: number[]
  dtype: string
  data: number[]
}

const bytesOf = (path: string): Uint8Array => readFileSync(new URL(`./fixtures/${path}`, import.meta.url))
const jsonOf = (path: string) => JSON.parse(new TextDecoder().decode(bytesOf(path)))
const tensorOf = ({ data, shape, dtype }: Numbers) => tensor(data, shape, dtype.includes('int') ? 'int32' : 'float32')
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (max, value, at) => Math.max(max, Math.abs(value - b[at])),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  )

/** A `model.json` with its weights, as tfjs's converter wrote it. */
function artifactsOf(name: string): LayersArtifacts {
  const { modelTopology, weightsManifest } = jsonOf(`layers/${name}/model.json`)
  return {
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }: { weights: object[] }) => weights),
    weightData: Uint8Array.from(bytesOf(`layers/${name}/group1-shard1of1.bin`)).buffer,
  }
}

/** A description as tf.layers saves it. */
function layersOf(...layers: [class_name: string, config: object][]): LayersArtifacts {
  const described = layers.map(([class_name, config], at) => ({
    class_name,
    config: { name: `layer${at}`, ...config },
  }))
  const modelTopology = { class_name: 'Sequential', config: { layers: described }, keras_version: 'tfjs-layers 4.22.0' }
  return { modelTopology }
}

beforeAll(async () => {
  await setBackend('cpu')
})

describe('fromKeras', () => {
  const layers = jsonOf('layers/expected.json') as { x: number[][][]; y: Record<string, number[]> }
  it.each(Object.keys(layers.y))("reads %s of a model.json, with Keras's outputs", async (name) => {
    const model = (await fromKeras(artifactsOf(name))).eval()
    const output = model.forward(tensor(layers.x)) as Tensor
    expect(difference(output.dataSync(), layers.y[name].flat(3))).toBeLessThan(1e-6)
  })

  const keras2 = jsonOf('keras2/expected.json') as Record<string, { x: Numbers; y: Numbers }>
  const keras3 = jsonOf('keras3/expected.json') as typeof keras2
  it.each([
    ...Object.entries(keras2).flatMap(([name, numbers]) =>
      ['h5', 'keras'].map((end) => [`keras2/${name}.${end}`, numbers] as const),
    ),
    ...Object.entries(keras3).map(([name, numbers]) => [`keras3/${name}.keras`, numbers] as const),
  ])("reads %s, with Keras's outputs", async (path, { x, y }) => {
    const model = (await fromKeras(bytesOf(path))).eval()
    expect(difference((model.forward(tensorOf(x)) as Tensor).dataSync(), y.data)).toBeLessThan(1e-6)
  })

  const more = jsonOf('more/expected.json') as Record<string, { x: Numbers[]; names: string[]; y: Numbers[] }>
  it.each(Object.entries(more))("reads %s, with Keras's outputs and their shape", async (file, { x, names, y }) => {
    const model = (await fromKeras(bytesOf(`more/${file}`))).eval()
    const inputs = Object.fromEntries(x.map((numbers, at) => [names[at], tensorOf(numbers)]))
    const output = model.forward(x.length === 1 ? tensorOf(x[0]) : inputs) as Tensor
    expect(output.shape).toEqual(y[0].shape)
    expect(difference(output.dataSync(), y[0].data)).toBeLessThan(1e-6)
  })

  const functional = jsonOf('functional/expected.json') as typeof more
  it.each([
    'masking-2.keras',
    'masking-3.keras',
    'mean-2.keras',
    'mean-3.keras',
    'linear-2.keras',
    'linear-3.keras',
    'forward-2.h5',
    'forward-3.h5',
    'front-2.keras',
    'front-3.keras',
    'dict-2.keras',
    'dict-3.keras',
    'rev-2.h5',
    'rev-3.h5',
    'slash-2.h5',
    'wide-2.keras',
    'wide-3.keras',
  ])("reads functional/%s, with Keras's outputs", async (file) => {
    const { x, y } = functional[file]
    const model = (await fromKeras(bytesOf(`functional/${file}`))).eval()
    const output = model.forward(tensorOf(x[0])) as Tensor
    expect(difference(output.dataSync(), y[0].data)).toBeLessThan(1e-6)
  })

  it.each([
    ['constant-3.keras', 'is called with a constant, which is not read'],
    ['positional-3.keras', 'is called with a constant, which is not read'],
    ['rms-3.keras', 'has rms_scaling true'],
    ['mask-3.keras', 'is of the class NotEqual, which Rowwise does not have'],
    ['registered-2.keras', "is of a class of your own, mine>LSTM; expected Keras's LSTM"],
    ['registered-3.keras', "is of a class of your own, mine>LSTM; expected Keras's LSTM"],
    ['own-2.keras', "is of a class of your own, GRU; expected Keras's GRU"],
    ['own-3.keras', "is of a class of your own, GRU; expected Keras's GRU"],
  ])('refuses functional/%s, which it would compute otherwise', async (file, message) => {
    await expect(fromKeras(bytesOf(`functional/${file}`))).rejects.toThrow(
      expect.objectContaining({ code: 'KERAS_UNSUPPORTED', message: expect.stringContaining(message) }),
    )
  })

  it.each([
    ['bi_rs-3.keras', 'has states that are read one by one'],
    ['ln1-2.keras', 'normalises over the axes [1]'],
    ['f16-3.keras', 'is "float16", Rowwise computes in float32'],
  ])('refuses %s, which it would compute otherwise', async (file, message) => {
    await expect(fromKeras(bytesOf(`more/${file}`))).rejects.toThrow(
      expect.objectContaining({ code: 'KERAS_UNSUPPORTED', message: expect.stringContaining(message) }),
    )
  })

  it("gives the layers Keras's names, and a network where it is one", async () => {
    const names = async (path: string) =>
      Object.keys((await fromKeras(bytesOf(path))).stateDict()).filter(
        (name) => name.endsWith('weight') || name.includes('weight_ih'),
      )
    expect(await names('keras2/lstm2.h5')).toEqual(['lstm_1.weight_ih_l0', 'lstm_2.weight_ih_l0', 'dense_1.weight'])
    expect(await fromKeras(bytesOf('keras2/gru.keras'))).toBeInstanceOf(GRUNet)
    expect(await fromKeras(bytesOf('keras2/encdec.keras'))).toBeInstanceOf(Graph)
    expect(await fromKeras(bytesOf('keras2/bi.keras'))).toBeInstanceOf(Sequential)
  })

  it('says what is left out of training', async () => {
    const notes: string[] = []
    await fromKeras(artifactsOf('bi'), { onNote: (note) => notes.push(note) })
    expect(notes).toEqual(['bidirectional has dropout 0.2 in training, which is left out'])
    notes.length = 0
    await fromKeras(bytesOf('functional/front-3.keras'), { onNote: (note) => notes.push(note) })
    expect(notes).toEqual([
      expect.stringMatching(/^spatial_dropout1d\S* is a SpatialDropout1D, which changes training/),
    ])
  })

  const edited = (edit: (text: string) => string, path = 'keras3/lstm2.keras'): Uint8Array => {
    const files = unzipSync(bytesOf(path))
    const text = edit(new TextDecoder().decode(files['config.json']))
    return zipSync({ ...files, 'config.json': strToU8(text) })
  }

  it('says that masked steps are put out otherwise, where a model puts out all steps', async () => {
    const notes: string[] = []
    const sequences = edited(
      (text) => text.replace('"return_sequences": false', '"return_sequences": true'),
      'keras3/masked.keras',
    )
    await fromKeras(sequences, { onNote: (note) => notes.push(note) })
    expect(notes).toEqual(['past the end of a row the outputs are those of zeros, in Keras of the last state'])
  })

  it('trains what a mask leaves, wherever it leaves it', async () => {
    const model = (await fromKeras(bytesOf('keras2/masked.keras'))) as Sequential
    const x = (...steps: number[]) =>
      tensor(
        steps.flatMap((value) => [value, value, value, value]),
        [1, steps.length, 4],
      )
    const short = model.forward(x(1, 2)).dataSync()
    for (const padded of [x(1, 2, 0, 0), x(0, 0, 1, 2), x(0, 1, 0, 2)])
      expect(difference(model.forward(padded).dataSync(), short)).toBe(0)
    expect(model.vjp(x(1, 2, 0, 0))?.value.shape).toEqual([1, 3])
    const weights = Object.values(model.parameters())
    const gradientsOf = (inputs: Tensor) => {
      const { grads } = variableGrads(() => sum(model.forward(inputs)) as Scalar, weights)
      return weights.map(({ name }) => grads[name].dataSync())
    }
    const [front, end] = [gradientsOf(x(0, 0, 1, 2)), gradientsOf(x(1, 2))]
    front.forEach((gradient, at) => {
      expect(difference(gradient, end[at])).toBe(0)
    })
    expect(() => model.forward(x(0, 0))).toThrow(
      expect.objectContaining({ code: 'KERAS_UNSUPPORTED', message: expect.stringContaining('row 0 is masked as a') }),
    )
  })

  it('refuses a mask before the end of a row in a model that puts out all steps', async () => {
    const model = await fromKeras(
      edited((text) => text.replace('"return_sequences": false', '"return_sequences": true'), 'keras3/masked.keras'),
    )
    expect(() =>
      model.forward(
        tensor([
          [
            [0, 0, 0, 0],
            [1, 1, 1, 1],
          ],
        ]),
      ),
    ).toThrow(
      expect.objectContaining({
        code: 'KERAS_UNSUPPORTED',
        message: expect.stringContaining('row 0 has a masked step'),
      }),
    )
  })

  it.each<[string, Uint8Array | LayersArtifacts, string, string]>([
    ['text', strToU8('<!doctype html>'), 'KERAS_INVALID', 'neither a .keras archive nor an HDF5 file'],
    ['half a .keras file', bytesOf('keras3/lstm2.keras').slice(0, 9000), 'KERAS_INVALID', 'broken, or cut off'],
    ['half a .h5 file', bytesOf('keras2/lstm2.h5').slice(0, 9000), 'KERAS_INVALID', 'broken, or cut off'],
    ['another zip', zipSync({ 'a.txt': strToU8('a') }), 'KERAS_INVALID', 'no config.json'],
    [
      'weights of another size',
      { ...artifactsOf('seq'), weightData: new ArrayBuffer(100) },
      'KERAS_INVALID',
      'the weights end before',
    ],
    [
      'an unknown layer',
      edited((text) => text.replaceAll('"Dropout"', '"Conv1D"')),
      'KERAS_UNSUPPORTED',
      'is of the class Conv1D, which Rowwise does not have',
    ],
    [
      'go_backwards',
      edited((text) => text.replaceAll('"go_backwards": false', '"go_backwards": true')),
      'KERAS_UNSUPPORTED',
      'reads backwards only',
    ],
    [
      "Keras 3's hard_sigmoid",
      edited((text) => text.replaceAll('"recurrent_activation": "sigmoid"', '"recurrent_activation": "hard_sigmoid"')),
      'KERAS_UNSUPPORTED',
      'of Keras 3',
    ],
    [
      'quantized numbers',
      edited((text) =>
        text.replaceAll(
          '"class_name": "DTypePolicy", "config": {"name": "float32"}',
          '"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}',
        ),
      ),
      'KERAS_UNSUPPORTED',
      'is "QuantizedDTypePolicy", Rowwise computes in float32',
    ],
    [
      'other numbers in a wrapped layer',
      edited((text) => text.replace(/("class_name": "LSTM".*?)"float32"/, '$1"float64"'), 'keras3/bi.keras'),
      'KERAS_UNSUPPORTED',
      'is "float64", Rowwise computes in float32',
    ],
    [
      'Softmax behind a mask, which reads it',
      edited((text) => text.replace('"class_name": "LSTM"', '"class_name": "Softmax"'), 'keras3/masked.keras'),
      'KERAS_UNSUPPORTED',
      'reads a mask, expected Activation("softmax")',
    ],
    [
      "a mean behind a mask in tf.layers's file, which averages all steps",
      layersOf(['Masking', { mask_value: 0 }], ['GlobalAveragePooling1D', {}]),
      'KERAS_UNSUPPORTED',
      'averages masked steps, too, in tf.layers',
    ],
    [
      'another merge mode',
      edited((text) => text.replaceAll('"concat"', '"sum"'), 'keras3/bi.keras'),
      'KERAS_UNSUPPORTED',
      'merge_mode sum',
    ],
  ])('refuses %s', async (_, source, code, message) => {
    await expect(fromKeras(source)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  it('refuses altered files with its typed error, whatever was altered', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
    const files = fc.constantFrom(
      bytesOf('keras3/lstm2.keras'),
      bytesOf('keras2/lstm2.h5'),
      bytesOf('keras2/encdec.keras'),
    )
    await fc.assert(
      fc.asyncProperty(files, changes, async (file, altered) => {
        const bytes = Uint8Array.from(file)
        for (const [at, value] of altered) bytes[at % bytes.length] = value
        const error = await fromKeras(bytes).then(
          (model) => model.dispose(),
          (error) => error,
        )
        if (error !== undefined && !isRowwiseError(error)) throw error
      }),
      { numRuns: 300 },
    )
  })
})
