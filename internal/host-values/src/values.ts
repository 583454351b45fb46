// The WASM backend keeps tensors in a memory of its own, and every read copies one out. Who makes a tensor of an array, or reads
// it next, is often Rowwise itself: then the array goes along, known by the tensor's data. The packages inline this file
// each for itself and share the table.

interface Tensor {
  readonly dataId: object
  dataSync(): ArrayLike<number>
}

/** Values of float32 or int32 tensors. */
export type HostArray = Float32Array | Int32Array

const values = sharedTable<HostArray>('rowwise.hostValues')
const stamps = sharedTable<object>('rowwise.stamps')

function sharedTable<Value>(name: string): WeakMap<object, Value> {
  const holder = globalThis as Record<symbol, unknown>
  const key = Symbol.for(name)
  holder[key] ??= new WeakMap<object, Value>()
  return holder[key] as WeakMap<object, Value>
}

/** Remembers that a tensor's data has these values. Nobody may change the array afterwards. */
export function keepHostValues({ dataId }: Pick<Tensor, 'dataId'>, array: HostArray): void {
  values.set(dataId, array)
}

/** The array may be changed again; reads go to the backend from now on. */
export function forgetHostValues({ dataId }: Pick<Tensor, 'dataId'>): void {
  values.delete(dataId)
}

/** The values that were remembered of a float32 tensor's data. */
export function hostValues({ dataId }: Pick<Tensor, 'dataId'>): Float32Array | undefined {
  return values.get(dataId) as Float32Array | undefined
}

/** A float32 tensor's values, only to be read: those that were remembered, or a copy out of the backend. */
export function readValues(tensor: Tensor): Float32Array {
  return (values.get(tensor.dataId) ?? tensor.dataSync()) as Float32Array
}

/** An int32 tensor's values likewise. */
export function readIntegers(tensor: Tensor): Int32Array {
  return (values.get(tensor.dataId) ?? tensor.dataSync()) as Int32Array
}

/** An object that is another one once the tensor's values are others: what a cache of them goes by. */
export function stampOf({ dataId }: Pick<Tensor, 'dataId'>): object {
  return stamps.get(dataId) ?? dataId
}

/** The tensor's values were changed where they lie. */
export function renewStamp({ dataId }: Pick<Tensor, 'dataId'>): void {
  stamps.set(dataId, {})
}
