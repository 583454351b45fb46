import { type DataId, engine, getBackend, KernelBackend, type Tensor } from '@tensorflow/tfjs-core'
import { forgetHostValues, type HostArray, keepHostValues } from './values'

interface Entry {
  values: HostArray
  references: number
}

/**
 * Where tensors lie whose values perhaps nobody but Rowwise will read: in their array, without a copy. It computes nothing. The first
 * operation of another backend that reads such a tensor has TensorFlow.js move it there, as it does with any tensor of another backend.
 */
class HostBackend extends KernelBackend {
  private readonly entries = new Map<DataId, Entry>()

  override write(values: HostArray): DataId {
    const dataId = {}
    this.entries.set(dataId, { values, references: 1 })
    return dataId
  }

  /** Gives a tensor that is still here a copy of its values, because the array is about to change. */
  detach(dataId: DataId): void {
    const entry = this.entries.get(dataId)
    if (entry) entry.values = entry.values.slice()
  }

  override readSync(dataId: DataId): HostArray {
    return this.entry(dataId).values.slice()
  }

  override read(dataId: DataId): Promise<HostArray> {
    return Promise.resolve(this.readSync(dataId))
  }

  override refCount(dataId: DataId): number {
    return this.entries.get(dataId)?.references ?? 0
  }

  override incRef(dataId: DataId): void {
    this.entry(dataId).references += 1
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const entry = this.entries.get(dataId)
    if (entry === undefined) return true
    entry.references -= 1
    if (entry.references > 0 && !force) return false
    return this.entries.delete(dataId)
  }

  override numDataIds(): number {
    return this.entries.size
  }

  override floatPrecision(): 32 {
    return 32
  }

  override dispose(): void {
    this.entries.clear()
  }

  private entry(dataId: DataId): Entry {
    return this.entries.get(dataId) as Entry
  }
}

const host = new HostBackend()

/**
 * A tensor of an array, float32 or int32 as that is, which nobody changes as long as the tensor lives. On a backend that would copy
 * the array at once, it is copied only when another operation reads the tensor.
 */
export function hostTensor(values: HostArray, shape: number[]): Tensor {
  const backend = backendCopies() ? host : engine().backend
  const dtype = values instanceof Int32Array ? 'int32' : 'float32'
  const dataId = backend.write(values, shape, dtype)
  const tensor = engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend)
  keepHostValues(tensor, values)
  return tensor
}

/** The same of an array that is changed later: before it is, {@link endLoan} must be told. */
export function lentTensor(values: Float32Array, shape: number[]): Tensor {
  return hostTensor(backendCopies() ? values : values.slice(), shape)
}

/** The array of a tensor's data is about to change: who still has the tensor keeps the values of before. */
export function endLoan(info: Pick<Tensor, 'dataId'>): void {
  forgetHostValues(info)
  host.detach(info.dataId)
}

/** Whether the current backend copies the values of a new tensor into a memory of its own; others keep the array. */
export function backendCopies(): boolean {
  return getBackend() === 'wasm'
}
