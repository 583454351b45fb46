import { readFileSync } from 'node:fs'
import { decodeSafetensors, type LSTM, LSTMNet, type Safetensor } from '@rowwise/models-rnn'
import * as tf from '@tensorflow/tfjs-core'

/** One of the files that PyTorch wrote, with its tensors by group. */
export class Vectors {
  private readonly file

  constructor(name: string) {
    this.file = decodeSafetensors(readFileSync(new URL(`../vectors/${name}.safetensors`, import.meta.url)))
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.file.metadata
  }

  /** The numbers of one tensor. */
  values(name: string): Float32Array {
    const { dtype, data } = this.file.tensors[name]
    if (dtype !== 'F32') throw new Error(`${name} is ${dtype}`)
    return data as Float32Array
  }

  /** The tensors whose names begin with a prefix, without it. */
  group(prefix: string): Record<string, Safetensor> {
    const entries = Object.entries(this.file.tensors).filter(([name]) => name.startsWith(prefix))
    return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
  }

  /** Of a tensor of integers. */
  integers(name: string): tf.Tensor {
    const { data, shape } = this.file.tensors[name]
    return tf.tensor(Int32Array.from(data as unknown as ArrayLike<number>, Number), [...shape], 'int32')
  }

  inputs(): tf.Tensor3D {
    return tf.tensor<tf.Rank.R3>(this.values('inputs'), [...this.file.tensors.inputs.shape] as [number, number, number])
  }

  targets(): tf.Tensor1D {
    return tf.tensor1d(Int32Array.from(this.file.tensors.targets.data as unknown as ArrayLike<number>, Number), 'int32')
  }

  /** Steps of each row, where rows have lengths. */
  lengths(): Int32Array | undefined {
    const { lengths } = this.file.tensors
    return lengths && Int32Array.from(lengths.data as unknown as ArrayLike<number>, Number)
  }

  /** The network with PyTorch's initial weights. */
  model(): LSTMNet {
    return LSTMNet.fromStateDict(this.group('init.'))
  }

  /** Puts the LSTM's part of the initial weights into a layer. */
  loadInto(layer: LSTM): LSTM {
    layer.loadStateDict(this.group('init.lstm_1.'))
    return layer
  }
}

/** The largest |found − expected| over what an element may be off, `absolute + relative·|expected|`: at most 1 when all are near. */
export function worstError(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute, relative = 0 }: { absolute: number; relative?: number },
): number {
  if (found.length !== expected.length) throw new Error(`${found.length} numbers, expected ${expected.length}`)
  let worst = 0
  for (let index = 0; index < found.length; index++) {
    const error = Math.abs(found[index] - expected[index]) / (absolute + relative * Math.abs(expected[index]))
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error)
  }
  return worst
}

/** The share of numbers that are within `absolute` of the expected ones. */
export function shareWithin(found: ArrayLike<number>, expected: ArrayLike<number>, absolute: number): number {
  if (found.length !== expected.length) throw new Error(`${found.length} numbers, expected ${expected.length}`)
  let near = 0
  for (let index = 0; index < found.length; index++)
    near += Math.abs(found[index] - expected[index]) <= absolute ? 1 : 0
  return near / found.length
}

/** The share of a module's weights within 1e-5 of those that PyTorch had after some steps. */
export function sharesNear(model: Pick<LSTMNet, 'stateDict'>, vectors: Vectors, prefix: string): number {
  const weights = Object.entries(model.stateDict())
  const found = weights.flatMap(([, tensor]) => Array.from(tensor.dataSync()))
  const expected = weights.flatMap(([name]) => Array.from(vectors.values(prefix + name)))
  return shareWithin(found, expected, 1e-5)
}
