import { decodeSafetensors } from '@rowwise/models-rnn'
import type { PlainWeights } from './draw/read-rows'

/** The weights that the page draws with and saves. */
export interface ModelInUse {
  weights: PlainWeights
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
  const { tensors } = decodeSafetensors(bytes)
  const [input, recurrent, output] = ['lstm_1.weight_ih_l0', 'lstm_1.weight_hh_l0', 'fc_1.weight'].map((name) => {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
    if (tensor?.shape.length !== 2 || tensor.dtype !== 'F32') {
      throw new Error(`it has no matrix ${name} of float32 numbers; save an LSTMNet, here or in PyTorch`)
    }
    return tensor.shape
  })
  const [hiddenSize, isLSTM] = [recurrent[1], input[0] === 4 * recurrent[1] && recurrent[0] === 4 * recurrent[1]]
  if (!isLSTM || input[1] !== INPUT_SIZE || output[0] !== CLASSES || output[1] !== hiddenSize) {
    throw new Error(
      `its shapes are [${input}], [${recurrent}], [${output}]; this page reads 28 pixels a row in one direction, and tells 10 classes apart`,
    )
  }
  checkLayers(tensors, hiddenSize)
  return { weights: tensors, origin }
}

function checkLayers(tensors: ReturnType<typeof decodeSafetensors>['tensors'], hiddenSize: number): void {
  for (let layer = 0; Object.hasOwn(tensors, `lstm_1.weight_ih_l${layer}`); layer++) {
    const expected = {
      [`lstm_1.weight_ih_l${layer}`]: [4 * hiddenSize, layer === 0 ? INPUT_SIZE : hiddenSize],
      [`lstm_1.weight_hh_l${layer}`]: [4 * hiddenSize, hiddenSize],
      [`lstm_1.bias_ih_l${layer}`]: [4 * hiddenSize],
      [`lstm_1.bias_hh_l${layer}`]: [4 * hiddenSize],
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
