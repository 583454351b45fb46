import { isHostBackend } from '@rowwise/host-values'
import { randomNormal, type Tensor, tensor } from '@tensorflow/tfjs-core'

/** An initializer of `tf.initializers.orthogonal`. */
interface Orthogonal {
  readonly gain: number
  readonly seed?: number
  apply(shape: number[], dtype?: 'float32' | 'int32'): Tensor
}

/**
 * Replaces the orthogonal initializer's `apply`, which takes 4 s for an LSTM of 256 units, by one that takes
 * milliseconds and draws the same numbers. For a seed its matrices are the same but for rounding: the QR factorisation
 * with a positive diagonal of R is unique.
 *
 * @returns what takes that back
 */
export function fasterOrthogonal(initializer: { constructor: unknown }): () => void {
  const prototype = (initializer.constructor as { prototype: Orthogonal }).prototype
  const original = prototype.apply
  const apply = function apply(this: Orthogonal, shape: number[], dtype?: 'float32' | 'int32'): Tensor {
    if (shape.length < 2 || (dtype !== undefined && dtype !== 'float32') || !isHostBackend())
      return original.call(this, shape, dtype)
    const columns = shape[shape.length - 1]
    const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1)
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
    const drawn = randomNormal([long, short], 0, 1, 'float32', this.seed)
    const values = orthonormalColumns(drawn.dataSync(), long, short)
    drawn.dispose()
    const { gain } = this
    const result = new Float32Array(rows * columns)
    for (let k = 0; k < short; k++) {
      for (let i = 0; i < long; i++) result[rows < columns ? k * long + i : i * short + k] = gain * values[k * long + i]
    }
    return tensor(result, shape)
  }
  prototype.apply = apply
  return () => {
    if (prototype.apply === apply) prototype.apply = original
  }
}

/**
 * The Q of A = Q·R with a positive diagonal of R, by the modified Gram-Schmidt process, each column taken twice ("twice
 * is enough", Giraud et al. 2005).
 *
 * @param matrix A, `[long, short]`
 * @returns the columns of Q, one after the other: `[short, long]`
 */
function orthonormalColumns(matrix: ArrayLike<number>, long: number, short: number): Float64Array {
  const q = new Float64Array(long * short)
  for (let k = 0; k < short; k++) {
    const column = q.subarray(k * long, (k + 1) * long)
    for (let i = 0; i < long; i++) column[i] = matrix[i * short + k]
    for (let round = 0; round < 2; round++) {
      for (let j = 0; j < k; j++) {
        const other = q.subarray(j * long, (j + 1) * long)
        let product = 0
        for (let i = 0; i < long; i++) product += other[i] * column[i]
        for (let i = 0; i < long; i++) column[i] -= product * other[i]
      }
      const length = Math.sqrt(column.reduce((sum, value) => sum + value * value, 0))
      for (let i = 0; i < long; i++) column[i] /= length
    }
  }
  return q
}
