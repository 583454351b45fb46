import { show } from '../checks'
import { TargetError, TrainOptionError } from '../errors'

/** Whether smaller or larger numbers are better. */
export type BetterWhen = 'lower' | 'higher'

/** What a metric is shown of a tensor: only to be read, and only during the call. */
export interface TensorValues {
  /** The values, row by row. */
  readonly values: Float32Array | Int32Array
  /** e.g. `[N, C]` */
  readonly shape: readonly number[]
  /** `float32`, `int32` or `bool` */
  readonly dtype: string
}

/**
 * A number, or several, that is gathered over the batches of an evaluation.
 *
 * @example
 * ```ts
 * let [sum, count] = [0, 0]
 * const bias: Metric = {
 *   reset: () => void ([sum, count] = [0, 0]),
 *   update: ({ values }, targets) => values.forEach((x, at) => ([sum, count] = [sum + x - targets.values[at], count + 1])),
 *   value: () => sum / count,
 * }
 * ```
 */
export interface Metric<Value = unknown> {
  /** Counts a batch: the outputs `[N, …]` and the targets `[N, …]`. */
  update(outputs: TensorValues, targets: TensorValues): void
  /** What was found since the last reset. */
  value(): Value
  /** Begins anew. */
  reset(): void
  /** Whether smaller or larger is better; wanted where a run is steered by it. */
  readonly better?: BetterWhen
}

/** Metrics by the name under which their values are found. */
export type Metrics = Readonly<Record<string, Metric>>

/** The values of metrics by name. */
export type MetricValues<M extends Metrics> = { [Name in keyof M]: ReturnType<M[Name]['value']> }

/** Refuses what is not an object of metrics, or has a name that means something else. */
export function requireMetrics(owner: string, metrics: Metrics): void {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) {
    throw new TrainOptionError(
      `${owner} got ${show(metrics)} as metrics, expected them by name: { accuracy: accuracy() }`,
    )
  }
  for (const [name, metric] of Object.entries(metrics)) {
    if (name === 'trainLoss' || name === 'validationLoss') {
      throw new TrainOptionError(`${owner}: a metric cannot be called ${name}, which is a loss; choose another name`)
    }
    const missing = (['update', 'value', 'reset'] as const).filter((method) => typeof metric?.[method] !== 'function')
    if (missing.length === 0) continue
    const hint = typeof metric === 'function' ? `; call it: ${name}()` : ''
    throw new TrainOptionError(`${owner}: the metric ${name} is ${show(metric)}, without ${missing.join(', ')}${hint}`)
  }
}

/** The classes of outputs `[…, C]` with int32 targets `[…]`. @throws {@link TargetError} for anything else. */
export function classesOf(metric: string, outputs: TensorValues, targets: TensorValues): number {
  const classes = outputs.shape[outputs.shape.length - 1]
  const fits = outputs.shape.length >= 2 && outputs.shape.slice(0, -1).join() === targets.shape.join()
  if (fits && targets.dtype === 'int32') return classes
  throw new TargetError(
    `${metric} got outputs [${outputs.shape}] and ${targets.dtype} targets [${targets.shape}], expected logits [N, C] and int32 classes [N], or [N, T, C] and [N, T]`,
  )
}

/** Refuses outputs and targets of different shapes. */
export function requireOneShape(metric: string, outputs: TensorValues, targets: TensorValues): void {
  if (outputs.shape.join() === targets.shape.join()) return
  throw new TargetError(
    `${metric} got outputs [${outputs.shape}] and targets [${targets.shape}], expected one shape; reshape the targets to [${outputs.shape}]`,
  )
}

/** The class of a target. @throws {@link TargetError} unless it is one. */
export function requireClass(metric: string, target: number, classes: number): number {
  if (target >= 0 && target < classes) return target
  throw new TargetError(`${metric} got the target ${target}, expected a class from 0 to ${classes - 1}, or ignoreIndex`)
}

/** The first index of the largest of `length` values, as `torch.argmax` finds it. */
export function argmax(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0
  for (let index = 1; index < length; index++) {
    if (values[start + index] > values[start + best]) best = index
  }
  return best
}
