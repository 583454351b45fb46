import { GATES } from '../../cell'
import type { LinearOps, LinearShape, Lookup, RecurrentGradients, RecurrentShape } from '../../runtime'

/**
 * The inputs' part of the sums, x·W_ihᵀ, of every vector of a lookup: one product for each vector, instead of one for each
 * step that reads it. The kernels add its rows, and sum the gradients of the steps that read the same one, for two products more.
 */
export class InputTable {
  private readonly shape: LinearShape
  // Copies: the gradients are taken when the tensors may be others.
  private readonly vectors: Float32Array
  private readonly weightIh: Float32Array
  /** The vectors that no step reads: what is infinite of them must not show. */
  private readonly unread: readonly number[]

  /** @param weightIh `[G·H, I]` */
  constructor(
    private readonly linear: LinearOps,
    { cell, batch, time, inputSize, hiddenSize }: RecurrentShape,
    { tokens, vectors }: Lookup,
    lengths: Int32Array | undefined,
    weightIh: Float32Array,
  ) {
    const rows = vectors.length / inputSize
    this.shape = { rows, inFeatures: inputSize, outFeatures: GATES[cell] * hiddenSize }
    this.vectors = vectors.slice()
    this.weightIh = weightIh.slice()
    const isRead = new Uint8Array(rows)
    for (let row = 0; row < batch; row++) {
      const begin = row * time
      for (let at = begin; at < begin + (lengths?.[row] ?? time); at++) isRead[tokens[at]] = 1
    }
    this.unread = Array.from(isRead.keys()).filter((vector) => !isRead[vector])
    this.zeroUnread(this.vectors)
  }

  /** V */
  get vocabulary(): number {
    return this.shape.rows
  }

  /** Writes `[V, G·H]`. */
  writeTo(table: Float32Array): void {
    this.linear.forward(this.shape, this.vectors, this.weightIh, undefined, table)
  }

  /** The gradients with respect to the vectors, if they are wanted, and to W_ih, from the one with respect to the table. */
  gradients(dTable: Float32Array, wantsX = false): Pick<RecurrentGradients, 'x' | 'weightIh'> {
    const [x, weight] = [this.vectors, this.weightIh].map(({ length }) => new Float32Array(length))
    const bias = new Float32Array(this.shape.outFeatures)
    this.linear.gradients(this.shape, dTable, this.vectors, this.weightIh, { x, weight, bias })
    this.zeroUnread(x)
    return { ...(wantsX && { x }), weightIh: weight }
  }

  private zeroUnread(vectors: Float32Array): void {
    const width = this.shape.inFeatures
    for (const vector of this.unread) vectors.fill(0, vector * width, (vector + 1) * width)
  }
}
