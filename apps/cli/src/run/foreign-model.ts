import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  Activation,
  asNet,
  isStandard,
  type Layer,
  Linear,
  RecurrentLayer,
  Sequential,
  Softmax,
} from '@rowwise/models-rnn'
import { log, maximum, type Tensor } from '@tensorflow/tfjs-core'
import { UsageError } from '../exit'

/** A model whose sizes are known. */
export type UsableModel = Sequential & { readonly config: { inputSize: number; numClasses: number } }

/** A model as a file has it, and the texts beside it. */
export interface ReadModel {
  layer: Layer
  metadata: Readonly<Record<string, string>>
}

/** Reads an ONNX file, a Keras file, or a `model.json` with its weights; undefined where it looks like none of them. */
export async function readForeign(
  path: string,
  bytes: Uint8Array,
  onNote: (note: string) => void,
): Promise<ReadModel | undefined> {
  const isHdf5 = [0x89, 0x48, 0x44, 0x46].every((byte, at) => bytes[at] === byte)
  if (isHdf5 || /\.(keras|h5|hdf5)$/i.test(path)) return readKeras(bytes, onNote)
  if (/\.json$/i.test(path)) return readKeras(await artifactsOf(path, bytes), onNote)
  if (!/\.onnx$/i.test(path)) return undefined
  const { fromOnnx, onnxMetadata } = await import('@rowwise/onnx')
  return { layer: fromOnnx(bytes, { onNote }), metadata: onnxMetadata(bytes) }
}

async function readKeras(source: Uint8Array | object, onNote: (note: string) => void): Promise<ReadModel> {
  const { fromKeras, kerasMetadata } = await import('@rowwise/keras')
  return { layer: await fromKeras(source, { onNote }), metadata: await kerasMetadata(source) }
}

/** What `model.json` names: the description, and the files of weights beside it. */
async function artifactsOf(path: string, bytes: Uint8Array): Promise<object> {
  let description: { modelTopology?: object; weightsManifest?: unknown; userDefinedMetadata?: object }
  try {
    description = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new UsageError('it is not JSON; pass the model.json of tf.layers, with its weights beside it', { cause })
  }
  const { modelTopology, weightsManifest, userDefinedMetadata } = description
  if (!modelTopology || !Array.isArray(weightsManifest))
    throw new UsageError('it has no modelTopology and weightsManifest, so it is not a model.json of tf.layers')
  const groups = weightsManifest as { paths: string[]; weights: object[] }[]
  const weightData = await Promise.all(
    groups
      .flatMap(({ paths }) => paths)
      .map(async (name) => Uint8Array.from(await readFile(join(dirname(path), name))).buffer),
  )
  return { modelTopology, weightSpecs: groups.flatMap(({ weights }) => weights), weightData, userDefinedMetadata }
}

/** The logits of probabilities, but for a summand that a softmax does not see. */
class Logarithm extends Activation {
  protected override apply(inputs: Tensor): Tensor {
    return log(maximum(inputs, 2 ** -126))
  }
}

/** A model that gives logits, and says what it reads: every command takes the softmax by itself. */
export function usable(layer: Layer): UsableModel {
  if (layer instanceof Sequential && 'config' in layer) return layer as unknown as UsableModel
  const model = withoutSoftmax(layer)
  const layers = everyLayer(model)
  const recurrent = layers.find((part) => part instanceof RecurrentLayer)
  const last = layers.findLast((part) => part instanceof Linear)
  if (!recurrent || !last)
    throw new UsageError('the model has no recurrent layer with a linear one after it, so it tells nothing apart')
  const config = { inputSize: recurrent.inputSize, numClasses: last.outFeatures }
  return Object.assign(asNet(model) ?? model, { config })
}

/** The model without its last softmax. A model that overrides forward, such as one that masks, gets the logarithm after it instead. */
function withoutSoftmax(layer: Layer): Sequential {
  if (!(layer instanceof Sequential)) return new Sequential({ model: layer })
  const children = layer.namedChildren() as readonly (readonly [string, Layer])[]
  if (!(children.at(-1)?.[1] instanceof Softmax)) return layer
  return isStandard(layer)
    ? new Sequential(Object.fromEntries(children.slice(0, -1)))
    : new Sequential({ model: layer, logits: new Logarithm() })
}

function everyLayer(layer: { namedChildren(): readonly (readonly [string, object])[] }): object[] {
  return [layer, ...layer.namedChildren().flatMap(([, child]) => everyLayer(child as typeof layer))]
}
