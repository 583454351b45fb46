/**
 * What to do with inputs of another shape than `[batch, time, inputSize]`: a reshape whose sizes fit, or a transposition.
 * Empty where only a guess could be made.
 *
 *     [N, 784] → [N, 28, 28]    [28, 28] → [1, 28, 28]    [N, 1, 28, 28] → [N, 28, 28]    (inputSize 28)
 */
export function reshapeHint(shape: readonly number[], inputSize: number): string {
  const target = reshaped(shape, inputSize)
  if (target !== undefined) return `; reshape it, e.g. to [${target.join(', ')}]`
  const [batch, features, time] = shape
  if (shape.length === 3 && features === inputSize && batch > 0 && time > 0) {
    return `; if the features come before the steps, transpose it to [${batch}, ${time}, ${features}] with tf.transpose(inputs, [0, 2, 1])`
  }
  return ''
}

function reshaped(shape: readonly number[], inputSize: number): number[] | undefined {
  if (shape.length === 0 || shape.includes(0)) return undefined
  const [batch, ...rest] = shape
  const last = rest.at(-1)
  if (last === undefined) return rows([1, batch], inputSize)
  if (rest.length === 1) return last === inputSize ? [1, batch, inputSize] : rows([batch, last], inputSize)
  // An axis of one element is a channel, before the rows or after the pixels; more channels are not one sequence.
  const axes = rest.filter((size) => size !== 1)
  if (inputSize === 1) return axes.length <= 1 ? rows([batch, axes[0] ?? 1], 1) : undefined
  if (axes.length === 1) return rows([batch, axes[0]], inputSize)
  return axes.length === 2 && axes[1] === inputSize ? [batch, axes[0], inputSize] : undefined
}

/** N samples of so many numbers each, cut into steps; undefined where that leaves a rest. */
function rows([batch, numbers]: [number, number], inputSize: number): number[] | undefined {
  return numbers % inputSize === 0 ? [batch, numbers / inputSize, inputSize] : undefined
}
