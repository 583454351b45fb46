/** A matrix in an array: the step from one row to the next, and where it begins. The columns of a row are one after the other. */
export interface Matrix {
  values: Float64Array
  row: number
  at: number
}

/** Rows of a matrix by fours, side by side, `[⌈rows / 4⌉, depth, 4]`: what {@link multiply} reads one after the other. Zero past the end. */
export function panelsOf(rows: number, depth: number, { values, row, at }: Matrix): Float64Array {
  const to = new Float64Array(4 * Math.ceil(rows / 4) * depth)
  for (let n = 0; n < rows; n++) {
    const from = at + n * row
    const first = (n - (n & 3)) * depth + (n & 3)
    for (let k = 0; k < depth; k++) to[first + 4 * k] = values[from + k]
  }
  return to
}

/** The transpose of a matrix. */
export function transpose(rows: number, columns: number, { values, row, at }: Matrix): Matrix {
  const to = new Float64Array(columns * rows)
  for (let m = 0; m < rows; m++) {
    for (let n = 0, from = at + m * row; n < columns; n++, from++) to[n * rows + m] = values[from]
  }
  return { values: to, row: rows, at: 0 }
}

/** to[m][n] += Σ_k a[m][k]·b[n][k], for the panels of b's rows. */
export function multiply(
  rows: number,
  columns: number,
  depth: number,
  a: Matrix,
  panels: Float64Array,
  to: Matrix,
): void {
  const left = a.values
  const sums = to.values
  // Two rows and four columns at once: eight sums are what the registers hold, and each load of the panel serves twice. An odd
  // last row is both. Plain declarations: with destructuring a training step of the reference network takes four times as long.
  for (let m = 0; m < rows; m += 2) {
    const hasSecond = m + 1 < rows
    const second = hasSecond ? a.row : 0
    const begin = a.at + m * a.row
    const end = begin + depth
    for (let n = 0, k = 0; n < columns; n += 4) {
      let s0 = 0
      let s1 = 0
      let s2 = 0
      let s3 = 0
      let t0 = 0
      let t1 = 0
      let t2 = 0
      let t3 = 0
      for (let i = begin; i < end; i++, k += 4) {
        const x = left[i]
        const y = left[i + second]
        const w0 = panels[k]
        const w1 = panels[k + 1]
        const w2 = panels[k + 2]
        const w3 = panels[k + 3]
        s0 += x * w0
        s1 += x * w1
        s2 += x * w2
        s3 += x * w3
        t0 += y * w0
        t1 += y * w1
        t2 += y * w2
        t3 += y * w3
      }
      const s = to.at + m * to.row + n
      sums[s] += s0
      if (n + 1 < columns) sums[s + 1] += s1
      if (n + 2 < columns) sums[s + 2] += s2
      if (n + 3 < columns) sums[s + 3] += s3
      if (!hasSecond) continue
      const t = s + to.row
      sums[t] += t0
      if (n + 1 < columns) sums[t + 1] += t1
      if (n + 2 < columns) sums[t + 2] += t2
      if (n + 3 < columns) sums[t + 3] += t3
    }
  }
}
