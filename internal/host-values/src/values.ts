// The WASM backend keeps tensors in a memory of its own, and every read copies one out. Who makes a tensor of an array, or reads
// it next, is often Rowwise itself: then the array goes along, as a property of the tensor's data.

interface Tensor {
  readonly dataId: object
  dataSync(): ArrayLike<number>
  data(): Promise<ArrayLike<number>>
}

/** Values of float32 or int32 tensors. */
export type HostArray = Float32Array | Int32Array

/** Where a tensor's data holds its values; Rowwise's packages inline this file, each its own copy, and know each other's by this name. */
const VALUES = Symbol.for('rowwise.hostValues')

type Data = { [VALUES]?: HostArray }

/** Remembers that a tensor's data has these values. Nobody may change the array afterwards. */
export function keepHostValues({ dataId }: Pick<Tensor, 'dataId'>, array: HostArray): void {
  ;(dataId as Data)[VALUES] = array
}

/** The values that were remembered of a float32 tensor's data. */
export function hostValues({ dataId }: Pick<Tensor, 'dataId'>): Float32Array | undefined {
  return (dataId as Data)[VALUES] as Float32Array | undefined
}

/** A float32 tensor's values, only to be read while the tensor lives: those that were remembered, or a copy out of the backend. */
export function readValues(tensor: Pick<Tensor, 'dataId' | 'dataSync'>): Float32Array {
  return ((tensor.dataId as Data)[VALUES] ?? tensor.dataSync()) as Float32Array
}

/** An int32 tensor's values likewise. */
export function readIntegers(tensor: Pick<Tensor, 'dataId' | 'dataSync'>): Int32Array {
  return ((tensor.dataId as Data)[VALUES] ?? tensor.dataSync()) as Int32Array
}

/** A tensor's values, only to be read while it lives. Waits for a device, so it works on those that cannot be read synchronously. */
export async function awaitValues<Values extends HostArray = Float32Array>(
  tensor: Pick<Tensor, 'dataId' | 'data'>,
): Promise<Values> {
  return ((tensor.dataId as Data)[VALUES] ?? (await tensor.data())) as Values
}
