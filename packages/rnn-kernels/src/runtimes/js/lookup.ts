import type { Lookup } from '../../runtime'

/** The rows that the steps read, `[N, T, I]`. */
export function rowsOf({ tokens, vectors }: Lookup, width: number): Float32Array {
  const rows = new Float32Array(tokens.length * width)
  tokens.forEach((token, at) => {
    rows.set(vectors.subarray(token * width, (token + 1) * width), at * width)
  })
  return rows
}

/** For each vector the sum of the gradients of the steps that read it, `[V, I]`. */
export function sumsOf({ tokens, vectors }: Lookup, width: number, gradients: Float32Array): Float32Array {
  const sums = new Float64Array(vectors.length)
  tokens.forEach((token, at) => {
    for (let k = 0; k < width; k++) sums[token * width + k] += gradients[at * width + k]
  })
  return Float32Array.from(sums)
}
