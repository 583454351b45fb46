// The WASM backend keeps tensors in a memory of its own, and every read copies one out. Who makes a tensor of an array, or reads
// it next, is often Rowwise itself: then the array goes along, known by the tensor's data. Packages inline this file, each its own copy,
// and share the table.

interface Tensor {
  readonly dataId: object
  dataSync(): ArrayLike<number>
}

/** Values of float32 or int32 tensors. */
export type HostArray = Float32Array | Int32Array

const values = sharedTable<HostArray>('rowwise.hostValues')

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

/** The values that were remembered of a float32 tensor's data. */
export function hostValues({ dataId }: Pick<Tensor, 'dataId'>): Float32Array | undefined {
  return values.get(dataId) as Float32Array | undefined
}

/** A float32 tensor's values, only to be read while the tensor lives: those that were remembered, or a copy out of the backend. */
export function readValues(tensor: Tensor): Float32Array {
  return (values.get(tensor.dataId) ?? tensor.dataSync()) as Float32Array
}

/** An int32 tensor's values likewise. */
export function readIntegers(tensor: Tensor): Int32Array {
  return (values.get(tensor.dataId) ?? tensor.dataSync()) as Int32Array
}
