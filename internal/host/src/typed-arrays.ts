/** The typed arrays that tensors and files are made of. */
export interface TypedArrays {
  Float32Array: Float32Array
  Float64Array: Float64Array
  Int32Array: Int32Array
  Uint8Array: Uint8Array
}

/**
 * Whether a value is a typed array of one class. An `instanceof` does not see those of another realm: what Node's file system returns under
 * Jest's jsdom, or in a context of `node:vm`.
 */
export function isTypedArray<Name extends keyof TypedArrays>(value: unknown, name: Name): value is TypedArrays[Name] {
  return Object.prototype.toString.call(value) === `[object ${name}]`
}
