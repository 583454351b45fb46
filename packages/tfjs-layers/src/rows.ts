import { filledTensor, readValues } from '@rowwise/host-values'
import { customGrad, type Tensor } from '@tensorflow/tfjs-core'

/** What {@link takeRows} puts where no row is taken. */
export const NO_ROW = -1

/**
 * Rows of tensors in another order, differentiable: `[rows of all sources, width]` → `shape`. Only where tensors are in
 * this process's memory.
 *
 * @param sources each `[…, width]`; their rows are numbered one after the other
 * @param order the number of the row for each row of the result; {@link NO_ROW} gives zeros
 */
export function takeRows(sources: readonly Tensor[], order: Int32Array, shape: number[]): Tensor {
  const width = shape[shape.length - 1]
  const starts: number[] = []
  let count = 0
  for (const { size } of sources) {
    starts.push(count)
    count += size / width
  }
  const sourceOf = (row: number): number => (row < (starts[1] ?? count) ? 0 : 1)
  return customGrad((...given) => {
    const values = given.slice(0, sources.length).map((source) => readValues(source as Tensor))
    return {
      value: filledTensor(shape, (to) => {
        for (let at = 0; at < order.length; at++) {
          const row = order[at]
          if (row === NO_ROW) to.fill(0, at * width, (at + 1) * width)
          else {
            const source = sourceOf(row)
            const start = (row - starts[source]) * width
            for (let k = 0; k < width; k++) to[at * width + k] = values[source][start + k]
          }
        }
      }),
      gradFunc: (dY: Tensor) => {
        const from = readValues(dY)
        return sources.map((source, place) =>
          filledTensor(source.shape, (sums) => {
            sums.fill(0)
            for (let at = 0; at < order.length; at++) {
              const row = order[at]
              if (row === NO_ROW || sourceOf(row) !== place) continue
              const start = (row - starts[place]) * width
              for (let k = 0; k < width; k++) sums[start + k] += from[at * width + k]
            }
          }),
        )
      },
    }
  })(...(sources as Tensor[]))
}
