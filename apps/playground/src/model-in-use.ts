import { decodeSafetensors, type SafetensorsFile } from '@rowwise/models-rnn'
import { CELLS, type CellEquations, type PlainWeights } from './draw/read-rows'

/** The weights that the page draws with and saves. */
export interface ModelInUse {
  weights: PlainWeights
  /** The recurrent layers' equations. */
  cell: CellEquations
  /** How its pixels were normalised, and what its classes are called. */
  preprocessing: { mean: number; std: number; classNames: readonly string[] }
  /** The texts of the file that they come from. */
  metadata: Record<string, string>
  /** Where they come from, in words. */
  origin: string
}

const INPUT_SIZE = 28
const CLASSES = 10

/**
 * Takes weights from the bytes of a safetensors file.
 *
 * @throws Error with a message for people when it is none, or of a network that does not read 28 × 28 digits.
 */
export function readModel(bytes: Uint8Array, origin: string): ModelInUse {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const cell = cellOf(tensors, metadata)
  const [input, recurrent, output] = [`${cell.layer}.weight_ih_l0`, `${cell.layer}.weight_hh_l0`, 'fc_1.weight'].map(
    (name) => {
      const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
      if (tensor?.shape.length !== 2 || tensor.dtype !== 'F32') {
        throw new Error(
          `it has no matrix ${name} of float32 numbers; save an LSTMNet, GRUNet or RNNNet, here or in PyTorch`,
        )
      }
      return tensor.shape
    },
  )
  const hiddenSize = recurrent[1]
  const rows = cell.gates.length * hiddenSize
  const fits = input[0] === rows && recurrent[0] === rows && input[1] === INPUT_SIZE
  if (!fits || output[0] !== CLASSES || output[1] !== hiddenSize) {
    throw new Error(
      `its shapes are [${input}], [${recurrent}], [${output}]; this page reads 28 pixels a row in one direction, and tells 10 classes apart`,
    )
  }
  checkLayers(tensors, cell, hiddenSize)
  return { weights: tensors, cell, preprocessing: preprocessingOf(metadata), metadata, origin }
}

/** What the command line wrote into the file; of other files MNIST's. */
function preprocessingOf({ preprocessing: text }: Record<string, string>): ModelInUse['preprocessing'] {
  try {
    const { mean, std, classNames } = JSON.parse(text)
    const isKnown = Number.isFinite(mean) && std > 0 && Array.isArray(classNames) && classNames.length === CLASSES
    if (isKnown) return { mean, std, classNames: classNames.map(String) }
  } catch {} // another program's, or none
  return { mean: 0.1307, std: 0.3081, classNames: Array.from({ length: CLASSES }, (_, digit) => String(digit)) }
}

/** The cell, by the names of the tensors; of a plain RNN the nonlinearity by the config. */
function cellOf(tensors: SafetensorsFile['tensors'], metadata: Record<string, string>): CellEquations {
  const isOf = (layer: string): boolean => Object.hasOwn(tensors, `${layer}.weight_ih_l0`)
  if (isOf('gru_1')) return CELLS.gru
  if (!isOf('rnn_1')) return CELLS.lstm
  return /"nonlinearity":\s*"relu"/.test(metadata.config ?? '') ? CELLS.rnn_relu : CELLS.rnn_tanh
}

function checkLayers(
  tensors: SafetensorsFile['tensors'],
  { layer: name, gates }: CellEquations,
  hiddenSize: number,
): void {
  const rows = gates.length * hiddenSize
  for (let layer = 0; Object.hasOwn(tensors, `${name}.weight_ih_l${layer}`); layer++) {
    const expected = {
      [`${name}.weight_ih_l${layer}`]: [rows, layer === 0 ? INPUT_SIZE : hiddenSize],
      [`${name}.weight_hh_l${layer}`]: [rows, hiddenSize],
      [`${name}.bias_ih_l${layer}`]: [rows],
      [`${name}.bias_hh_l${layer}`]: [rows],
      'fc_1.bias': [CLASSES],
    }
    for (const [name, shape] of Object.entries(expected)) {
      const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
      const isBias = name.includes('bias')
      if (tensor === undefined && isBias) continue
      if (tensor?.dtype !== 'F32' || tensor.shape.join() !== shape.join()) {
        throw new Error(`${name} has shape [${tensor?.shape ?? 'none'}], expected [${shape}] of float32`)
      }
      if (!(tensor.data as Float32Array).every(Number.isFinite)) throw new Error(`${name} has NaN or infinite weights`)
    }
  }
}
