import { isTypedArray } from '@rowwise/host'
import { type DataId, engine, getBackend, KernelBackend, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import { forgetHostValues, type HostArray, keepHostValues, renewStamp } from './values'

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

  /** Whether the array is what a tensor has its values in, and no other tensor shares them. */
  isSole(dataId: DataId, values: HostArray): boolean {
    const entry = this.entries.get(dataId)
    return entry?.values === values && entry.references === 1
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
  const dtype = isTypedArray(values, 'Int32Array') ? 'int32' : 'float32'
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

/**
 * Changes a variable's values, an array that was lent to it or is lent now: where they lie as long as no other tensor or backend has
 * them, which spares a short training step a new tensor for each parameter.
 */
export function changeLent(variable: Variable, values: Float32Array, change: () => void): void {
  if (host.isSole(variable.dataId, values)) {
    change()
    renewStamp(variable)
    return
  }
  endLoan(variable)
  change()
  takeOver(variable, lentTensor(values, variable.shape))
}

/** As `variable.assign`, which would have the current backend move the data to itself, and disposing the tensor. */
function takeOver(variable: Variable, tensor: Tensor): void {
  engine().disposeTensor(variable)
  variable.dataId = engine().keep(tensor).dataId
}

/** Whether the current backend copies the values of a new tensor into a memory of its own; others keep the array. */
export function backendCopies(): boolean {
  return getBackend() === 'wasm'
}
