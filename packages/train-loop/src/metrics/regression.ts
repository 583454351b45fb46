import { type Metric, requireOneShape, type TensorValues } from './metric'

/** A number of the errors of all elements. */
function ofErrors(name: string, add: (error: number) => number, value: (mean: number) => number): Metric<number> {
  let [sum, count] = [0, 0]
  return {
    better: 'lower',
    reset() {
      sum = 0
      count = 0
    },
    update(outputs, targets) {
      requireOneShape(name, outputs, targets)
      targets.values.forEach((target, at) => {
        sum += add(outputs.values[at] - target)
      })
      count += targets.values.length
    },
    value: () => value(sum / count),
  }
}

/**
 * The mean of |output − target| over all elements.
 *
 * Outputs and targets have one shape.
 *
 * @throws in an evaluation {@link TargetError} when the shapes differ.
 * @example
 * ```ts
 * const metrics = { meanAbsoluteError: meanAbsoluteError() }
 * ```
 */
export function meanAbsoluteError(): Metric<number> {
  return ofErrors('meanAbsoluteError', Math.abs, (mean) => mean)
}

/**
 * The root of the mean of (output − target)² over all elements.
 *
 * Outputs and targets have one shape.
 *
 * @throws in an evaluation {@link TargetError} when the shapes differ.
 * @example
 * ```ts
 * const metrics = { rootMeanSquaredError: rootMeanSquaredError() }
 * ```
 */
export function rootMeanSquaredError(): Metric<number> {
  return ofErrors('rootMeanSquaredError', (error) => error * error, Math.sqrt)
}

/**
 * The coefficient of determination 1 − Σ(y − x)²/Σ(y − mean y)²: 1 is perfect, 0 as good as the mean. Of each output (the last axis)
 * by itself, then averaged, as scikit-learn has it.
 *
 * Outputs and targets have one shape.
 *
 * @throws in an evaluation {@link TargetError} when the shapes differ.
 * @example
 * ```ts
 * const metrics = { r2: r2() }
 * ```
 */
export function r2(): Metric<number> {
  let columns: { first: number; sum: number; squares: number; residuals: number; count: number }[] = []
  const update = (outputs: TensorValues, targets: TensorValues): void => {
    requireOneShape('r2', outputs, targets)
    const width = targets.shape.length > 1 ? targets.shape[targets.shape.length - 1] : 1
    targets.values.forEach((target, at) => {
      columns[at % width] ??= { first: target, sum: 0, squares: 0, residuals: 0, count: 0 }
      const column = columns[at % width]
      const shifted = target - column.first // near 0, so the sum of squares loses no digits
      column.sum += shifted
      column.squares += shifted * shifted
      column.residuals += (target - outputs.values[at]) ** 2
      column.count += 1
    })
  }
  const score = ({ sum, squares, residuals, count }: (typeof columns)[number]): number => {
    if (count < 2) return Number.NaN // nothing varies, as scikit-learn has it
    const total = squares - (sum * sum) / count
    if (total > 0) return 1 - residuals / total
    return residuals === 0 ? 1 : 0 // all targets are alike, as scikit-learn has it
  }
  return {
    better: 'higher',
    reset() {
      columns = []
    },
    update,
    value: () => columns.reduce((total, column) => total + score(column), 0) / columns.length,
  }
}
