import { DatasetError } from './errors'

/** Numbers of any kind; floating-point ones become float32 tensors, whole ones int32. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray

/** What each sample has of one thing, all of one shape. */
export interface Column {
  /** The values, sample by sample. */
  readonly data: NumberArray
  /** `[N, …]` */
  readonly shape: readonly number[]
}

/** What each sample has of one thing that differs in length: sequences. */
export interface SequenceColumn {
  /** The steps of each sample, `[T, …stepShape]` row by row, where T is its own. */
  readonly sequences: readonly NumberArray[]
  /** The shape of one step: `[features]`, or `[]` for a number a step. */
  readonly stepShape: readonly number[]
}

/** Whether samples may differ in length. */
export function isSequences(column: Column | SequenceColumn): column is SequenceColumn {
  return Array.isArray((column as Partial<SequenceColumn>).sequences)
}

/** How many samples a column has. @throws {@link DatasetError} when it is not one, or its data and its shape do not fit. */
export function samplesOf(name: string, column: Column | SequenceColumn): number {
  if (typeof column !== 'object' || column === null) {
    throw new DatasetError(`${name} is ${String(column)}, expected { data, shape } or { sequences, stepShape }`)
  }
  return isSequences(column) ? checkSequences(name, column) : checkColumn(name, column)
}

function checkColumn(name: string, { data, shape }: Column): number {
  if (!isNumberArray(data) || !Array.isArray(shape)) {
    const found = Array.isArray(data)
      ? 'an array; make a typed one: Float32Array.from(…)'
      : ArrayBuffer.isView(data)
        ? `a ${kindOf(data)}`
        : typeof data
    throw new DatasetError(`${name}: data is ${found}, expected a typed array and its shape: { data, shape: [N, …] }`)
  }
  const size = shape.reduce((product, length) => product * length, 1)
  if (shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new DatasetError(`${name} has shape [${shape}], expected whole numbers, none of them below 0`)
  }
  if (shape.length === 0 || size !== data.length) {
    throw new DatasetError(`${name} has shape [${shape}], ${size} numbers, but ${data.length} numbers of data`)
  }
  return shape[0]
}

function checkSequences(name: string, { sequences, stepShape }: SequenceColumn): number {
  if (!Array.isArray(stepShape)) {
    throw new DatasetError(
      `${name}: stepShape is ${String(stepShape)}, expected the shape of a step: [features], or []`,
    )
  }
  if (stepShape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new DatasetError(`${name} has stepShape [${stepShape}], expected whole numbers of at least 1`)
  }
  const size = stepShape.reduce((product, length) => product * length, 1)
  sequences.forEach((sequence, sample) => {
    if (isNumberArray(sequence) && sequence.length > 0 && sequence.length % size === 0) return
    const found = isNumberArray(sequence) ? `has ${sequence.length} numbers` : 'is not a typed array'
    throw new DatasetError(`${name}: sequence ${sample} ${found}, expected one step or more of ${size} numbers`)
  })
  return sequences.length
}

/** Some samples of a column. */
export function gather<C extends Column | SequenceColumn>(column: C, indices: Int32Array): C
export function gather(column: Column | SequenceColumn, indices: Int32Array): Column | SequenceColumn {
  if (isSequences(column)) {
    return { ...column, sequences: Array.from(indices, (index) => column.sequences[index]) }
  }
  const { data } = column
  const rows = arrayLike(data, indices.length * rowSize(column))
  copyRows(column, indices, rows)
  return { data: rows, shape: rowShape(column, indices) }
}

/** How many numbers a sample of a column has. */
export function rowSize({ data, shape }: Column): number {
  return data.length / shape[0]
}

/** The shape of some samples of a column. */
export function rowShape({ shape }: Column, indices: Int32Array): number[] {
  return [indices.length, ...shape.slice(1)]
}

/** Rows of fewer numbers are copied by a loop: a view of each would take longer, and be garbage. */
const LONG_ROW = 128

/** Copies some samples of a column into an array of any kind. */
export function copyRows(column: Column, indices: Int32Array, to: NumberArray): void {
  const { data } = column
  const size = rowSize(column)
  if (size >= LONG_ROW) {
    indices.forEach((index, row) => {
      to.set(data.subarray(index * size, (index + 1) * size), row * size)
    })
    return
  }
  for (let row = 0, at = 0; row < indices.length; row++) {
    const start = indices[row] * size
    for (let k = 0; k < size; k++) to[at++] = data[start + k]
  }
}

/**
 * Refuses int32 numbers that were larger than such numbers can be where they come from.
 *
 * @throws {@link DatasetError} naming the first.
 */
export function requireFit(from: NumberArray, values: Int32Array): Int32Array {
  const place = kindOf(from) === 'Uint32Array' ? values.findIndex((value) => value < 0) : -1
  if (place < 0) return values
  const found = values[place] >>> 0
  throw new DatasetError(
    `${found} does not fit into int32, which tensors of whole numbers are; make a Float32Array of them`,
  )
}

/** A new array of the same kind. */
export function arrayLike<A extends NumberArray>(array: A, length: number): A {
  return new (array.constructor as new (length: number) => A)(length)
}

/** Whether something is a typed array of numbers, of any realm. */
export function isNumberArray(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && /^(Float(32|64)|(Ui|I)nt(8|16|32)|Uint8Clamped)Array$/.test(kindOf(value))
}

/** Whether an array holds floating-point numbers. */
export function isFloating(array: NumberArray): boolean {
  return kindOf(array).startsWith('Float')
}

/** Its class by name: an array of another realm has another class of the same name. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
