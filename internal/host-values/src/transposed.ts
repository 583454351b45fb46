/** A matrix of `rows` rows, transposed; both row by row. */
export function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows
  return Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)])
}
