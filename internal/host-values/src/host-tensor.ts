import { isTypedArray } from '@rowwise/host'
import { type DataId, engine, getBackend, KernelBackend, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import { giveArray, takeArray } from './recycler'
import { Reserve } from './reserve'
import { type HostArray, keepHostValues, readValues } from './values'

interface Entry {
  readonly values: HostArray
  /** Whether the array may be another tensor's once this one is disposed. */
  readonly recycle: boolean
  references: number
}

/**
 * Keeps tensors in their array, without a copy, while perhaps nobody but Rowwise reads them. It computes nothing. The first
 * operation of another backend that reads such a tensor has TensorFlow.js move it there, as it does with any tensor of another backend.
 */
class HostBackend extends KernelBackend {
  private readonly entries = new Map<DataId, Entry>()
  private readonly reserve = new Reserve()

  override write(values: HostArray): DataId {
    return this.add(values, false)
  }

  add(values: HostArray, recycle: boolean): DataId {
    const dataId = {}
    this.entries.set(dataId, { values, recycle, references: 1 })
    this.reserve.add(values.length)
    return dataId
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

  /** By force when the tensor moves to another backend: its values may still be read from the array then. */
  override disposeData(dataId: DataId, force = false): boolean {
    const entry = this.entries.get(dataId)
    if (entry === undefined) return true
    entry.references -= 1
    if (entry.references > 0 && !force) return false
    this.reserve.remove(entry.values.length, force)
    if (entry.recycle && !force) giveArray(entry.values as Float32Array)
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
 * A tensor of an array, float32 or int32 as that is, which nobody changes while the tensor lives. On a backend that would copy
 * the array at once, it is copied only when another operation reads the tensor.
 */
export function hostTensor(values: HostArray, shape: number[]): Tensor {
  return tensorOf(values, shape, false)
}

/** As {@link hostTensor}; its array is used again after it is disposed. */
export function passingTensor(values: Float32Array, shape: number[]): Tensor {
  return tensorOf(values, shape, true)
}

/** A float32 tensor whose values `fill` writes. Its array is used again after it is disposed. */
export function filledTensor(shape: number[], fill: (values: Float32Array) => void): Tensor {
  const values = takeArray(shape.reduce((product, size) => product * size, 1))
  fill(values)
  return passingTensor(values, shape)
}

/** A float32 tensor with a copy of values. */
export function copiedTensor(values: Float32Array, shape: number[]): Tensor {
  return filledTensor(shape, (copy) => copy.set(values))
}

/** Gives a variable the values of a tensor, which it takes over: as `variable.assign`, but the data stays where it is. */
export function takeOver(variable: Variable, tensor: Tensor): void {
  engine().disposeTensor(variable)
  variable.dataId = engine().keep(tensor).dataId
}

/** Whether the current backend copies the values of a new tensor into a memory of its own; others keep the array. */
export function backendCopies(): boolean {
  return getBackend() === 'wasm'
}

function tensorOf(values: HostArray, shape: number[], recycle: boolean): Tensor {
  const isHost = backendCopies()
  const { backend } = engine()
  const dtype = isTypedArray(values, 'Int32Array') ? 'int32' : 'float32'
  const dataId = isHost ? host.add(values, recycle) : backend.write(values, shape, dtype)
  const tensor = engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, isHost ? host : backend)
  keepHostValues(tensor, values)
  return tensor
}

/** A tensor's values, which stay as they are until `release`, whatever becomes of the tensor. */
export interface HeldValues {
  readonly values: Float32Array
  release(): void
}

/**
 * Holds a float32 tensor's values: their array is not used for another tensor before `release`. The data may be of another package's copy of
 * this file, so its backend is asked for.
 */
export function holdValues(tensor: Tensor): HeldValues {
  const values = readValues(tensor)
  const { dataId, shape, dtype } = tensor
  const { backend } = engine().state.tensorInfo.get(dataId) as { backend: KernelBackend }
  backend.incRef(dataId)
  const held = engine().keep(engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend))
  return { values, release: () => held.dispose() }
}
