import { strFromU8 } from 'fflate/browser'
import { KerasError } from '../errors'
import type { Hdf5Contents, Values } from '../hdf5'
import { unzipped } from './zip'

/** A layer as Keras describes it. Names are Keras's, `snake_case`. */
export interface LayerConfig {
  class_name: string
  /** Where Keras 3 imports the class from. */
  module?: string | null
  /** `package>Class` for a class that Keras knows by its program only. */
  registered_name?: string | null
  name?: string
  config: Readonly<Record<string, unknown>> & { name?: string }
  inbound_nodes?: readonly unknown[]
  /** Whether a functional model of Keras 3 called it with a mask; see `withoutMaskOperations`. */
  isMasked?: boolean
}

/** The name by which the others refer to a layer. */
export function nameOf({ name, config }: LayerConfig): string {
  return name ?? config.name ?? ''
}

/** A model as a file has it: the description, and the weights of a layer by its name and place. */
export interface KerasSource {
  readonly model: LayerConfig
  /** Keras's major version. */
  readonly version: number
  /** Whether tf.layers wrote it, which averages all steps, also those that a mask leaves out. */
  readonly isLayers: boolean
  /** The texts that Rowwise wrote into the file. */
  readonly metadata: Readonly<Record<string, string>>
  /** The weights of the layer of a name, which is the n-th of its class, by part: '' or `forward`, `backward`. */
  weights(layer: LayerConfig, serial: string, part: 'forward' | 'backward' | ''): readonly Values[]
}

/** A weight in the files of tf.layers. */
export interface WeightSpec {
  /** `lstm/kernel` */
  name: string
  /** Sizes of its axes. */
  shape: readonly number[]
  /** The element type. */
  dtype: string
  /** How the values were made smaller, which is not read. */
  quantization?: unknown
}

/** What `tf.LayersModel.save` hands to a handler, and a `model.json` with its weights holds. */
export interface LayersArtifacts {
  /** The description of the model. */
  modelTopology?: object
  /** Names, shapes and element types of the weights, in order. */
  weightSpecs?: readonly WeightSpec[]
  /** Their values, one after the other. */
  weightData?: ArrayBuffer | readonly ArrayBuffer[]
  /** Free texts. */
  userDefinedMetadata?: Readonly<Record<string, unknown>>
}

const ZIP = [0x50, 0x4b, 0x03, 0x04]
const FILES = ['config.json', 'metadata.json', 'model.weights.h5']
const HDF5 = [0x89, 0x48, 0x44, 0x46]

/** Finds out what it is, and reads it. @throws KerasError where it is none of them */
export async function readSource(given: Uint8Array | ArrayBuffer | LayersArtifacts): Promise<KerasSource> {
  const isBytes = given instanceof Uint8Array || given instanceof ArrayBuffer
  if (!isBytes && typeof given === 'object' && given?.modelTopology) {
    if (given.weightSpecs === undefined && 'weightsManifest' in given)
      throw new KerasError(
        'the model.json has its weights in other files: pass { modelTopology, weightSpecs, weightData }, with the weights of its weightsManifest ' +
          'and what their files hold, one after the other',
      )
    return ofArtifacts(given)
  }
  if (!isBytes)
    throw new KerasError(
      'fromKeras expects the bytes of a .keras or .h5 file, or { modelTopology, weightSpecs, weightData } of tf.layers',
    )
  const bytes = given instanceof Uint8Array ? given : new Uint8Array(given)
  const starts = (magic: readonly number[]): boolean => magic.every((byte, at) => bytes[at] === byte)
  if (starts(HDF5)) return ofHdf5(await readContents(bytes))
  if (starts(ZIP)) return ofZip(bytes)
  throw new KerasError(
    'the file is neither a .keras archive nor an HDF5 file; save it in Keras by model.save("model.keras")',
  )
}

async function readContents(bytes: Uint8Array): Promise<Hdf5Contents> {
  const { readHdf5 } = await import('../hdf5')
  try {
    return await readHdf5(bytes)
  } catch (cause) {
    throw new KerasError('the HDF5 file cannot be read; it is broken, or cut off', { cause })
  }
}

/** Keras 3's, and Keras 2.12's to 2.15's: a zip around `config.json` and `model.weights.h5`. */
async function ofZip(bytes: Uint8Array): Promise<KerasSource> {
  const files = unzipped(bytes, FILES)
  if (!files['config.json'] || !files['model.weights.h5'])
    throw new KerasError('the archive has no config.json and model.weights.h5, so it is not a .keras file')
  const model = modelOf(strFromU8(files['config.json']))
  const { tensors } = await readContents(files['model.weights.h5'])
  const all = [...tensors]
  const { keras_version = '3', rowwise } = JSON.parse(strFromU8(files['metadata.json'] ?? new Uint8Array()) || '{}')
  return {
    model,
    version: Number.parseInt(keras_version, 10),
    isLayers: false,
    metadata: textsIn(rowwise),
    weights({ class_name, config }, serial, part) {
      const inner = part === '' ? '(?:layer/)?(?:cell/)?' : `${part}_layer/(?:cell/)?`
      const names = class_name === 'InputLayer' ? [] : [serial, config.name ?? '']
      for (const name of names) {
        const pattern = new RegExp(
          `^(?:_layer_checkpoint_dependencies|layers)[/\\\\]${escaped(name)}/${inner}vars/(\\d+)$`,
        )
        const found = all.flatMap(([path, values]) => {
          const at = pattern.exec(path)?.[1]
          return at === undefined ? [] : [{ at: Number(at), values }]
        })
        if (found.length > 0) return found.sort((a, b) => a.at - b.at).map(({ values }) => values)
      }
      return []
    },
  }
}

/** The older format, of `model.save("model.h5")`. */
function ofHdf5({ attributes, tensors }: Hdf5Contents): KerasSource {
  if (!attributes.model_config)
    throw new KerasError(
      'the HDF5 file has weights, but no model_config: it was saved by save_weights; save the model, by model.save("model.keras")',
    )
  const named = [...tensors].map(([path, values]): [string, Values] => [path.replace(/^model_weights\//, ''), values])
  return {
    model: modelOf(attributes.model_config),
    version: Number.parseInt(attributes.keras_version ?? '2', 10),
    isLayers: false,
    metadata: {},
    weights: byName(named),
  }
}

/** tfjs's `model.json`, converted from Keras or saved by tf.layers. */
function ofArtifacts({
  modelTopology,
  weightSpecs = [],
  weightData,
  userDefinedMetadata,
}: LayersArtifacts): KerasSource {
  const parts = Array.isArray(weightData) ? weightData : [weightData ?? new ArrayBuffer(0)]
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const part of parts as readonly ArrayBuffer[]) {
    bytes.set(new Uint8Array(part), at)
    at += part.byteLength
  }
  let begin = 0
  const named = weightSpecs.map(({ name, shape, dtype, quantization }): [string, Values] => {
    if (dtype !== 'float32' || quantization) {
      const found = quantization ? 'quantized' : dtype
      throw new KerasError(`the weight ${name} is ${found}, expected float32: convert without quantization`)
    }
    const size = 4 * shape.reduce((product, length) => product * length, 1)
    if (begin + size > bytes.length)
      throw new KerasError(`the weights end before ${name}: ${bytes.length} bytes are too few`)
    const data = new Float32Array(bytes.slice(begin, begin + size).buffer)
    begin += size
    return [name, { shape, data }]
  })
  const { model_config: config = modelTopology, keras_version } = modelTopology as {
    model_config?: object
    keras_version?: unknown
  }
  return {
    model: modelOf(typeof config === 'string' ? config : JSON.stringify(config)),
    version: Number.parseInt(String(keras_version), 10) || 2,
    isLayers: /^tfjs/.test(String(keras_version)),
    metadata: textsIn(userDefinedMetadata),
    weights: byName(named),
  }
}

/** Weights whose names begin with their layer's: `bidirectional/forward_lstm/lstm_cell/kernel:0`. */
function byName(named: readonly (readonly [string, Values])[]): KerasSource['weights'] {
  const order = ['kernel', 'recurrent_kernel', 'bias', 'embeddings', 'gamma', 'beta']
  return (layer, _, part) => {
    const { layer: wrapped, backward_layer: backward } = layer.config as Record<string, LayerConfig | undefined>
    const inner = wrapped?.config.name
    // A layer's name may have slashes.
    const below = (first: string | undefined): [path: string, values: Values][] =>
      named.flatMap(([path, values]) =>
        path.startsWith(`${first}/`) ? [[path.slice(`${first}/`.length), values]] : [],
      )
    // The last segment says the part: a wrapper may be called `forward_…` itself. A backward layer may have its own name.
    const partOf = (path: string): string | undefined => {
      const isOwnName = (each: string): boolean => each === backward?.config.name
      const found = path.split('/').findLast((each) => /^(forward|backward)_/.test(each) || isOwnName(each))
      return found && isOwnName(found) ? 'backward' : found?.split('_')[0]
    }
    const isPart = ([path]: [string, Values]): boolean => part === '' || partOf(path) === part
    // tf.layers leaves the wrapper out of the names of what is in it.
    const own =
      [below(nameOf(layer)).filter(isPart), below(part === '' ? inner : `${part}_${inner}`)].find(
        (all) => all.length > 0,
      ) ?? []
    const kind = (path: string): number => order.indexOf((path.split('/').at(-1) as string).replace(/:\d+$/, ''))
    return [...own].sort(([a], [b]) => kind(a) - kind(b)).map(([, values]) => values)
  }
}

function modelOf(text: string): LayerConfig {
  let model: LayerConfig | undefined
  try {
    model = JSON.parse(text)
  } catch (cause) {
    throw new KerasError("the model's description is not JSON", { cause })
  }
  if (typeof model?.class_name === 'string' && typeof model.config === 'object') return model
  throw new KerasError("the model's description has no class_name and config")
}

/** The texts among what a file has of them. */
function textsIn(given: unknown): Readonly<Record<string, string>> {
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : []
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function escaped(text: string): string {
  return text.replace(/[^\w]/g, '\\$&')
}
