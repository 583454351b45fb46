import { refuseOptions } from '../checks'
import { TargetError, TrainOptionError } from '../errors'
import { argmax, type BetterWhen, classesOf, type Metric, requireClass, type TensorValues } from './metric'

/** Options of the metrics of classes. */
export interface ClassMetricOptions {
  /** Targets of this value are not counted: padding. @default -100 */
  ignoreIndex?: number
}

/** Hits and misses of each class. */
class Hits {
  /** How often the class was found where it was. */
  truePositives: number[] = []
  /** How often it was found. */
  predicted: number[] = []
  /** How often it was there. */
  actual: number[] = []
  right = 0
  total = 0

  constructor(
    private readonly metric: string,
    private readonly ignoreIndex: number,
  ) {}

  reset(): void {
    this.truePositives = []
    this.predicted = []
    this.actual = []
    this.right = 0
    this.total = 0
  }

  /** One class of several for each int32 target, or yes and no for each float32 one: a logit over 0 is a yes. */
  update(outputs: TensorValues, targets: TensorValues): void {
    const isYesOrNo = targets.dtype === 'float32' && outputs.shape.join() === targets.shape.join()
    const classes = isYesOrNo
      ? (targets.shape[targets.shape.length - 1] ?? 1)
      : classesOf(this.metric, outputs, targets)
    while (this.actual.length < classes)
      for (const list of [this.truePositives, this.predicted, this.actual]) list.push(0)
    targets.values.forEach((target, at) => {
      if (isYesOrNo) this.answer(at % classes, outputs.values[at] > 0, target)
      else if (target !== this.ignoreIndex) this.choose(argmax(outputs.values, at * classes, classes), target, classes)
    })
  }

  private choose(found: number, target: number, classes: number): void {
    requireClass(this.metric, target, classes)
    this.predicted[found] += 1
    this.actual[target] += 1
    this.total += 1
    if (found !== target) return
    this.truePositives[target] += 1
    this.right += 1
  }

  private answer(column: number, found: boolean, target: number): void {
    if (target !== 0 && target !== 1) {
      throw new TargetError(`${this.metric} got the float32 target ${target}, expected 0 or 1, or int32 classes`)
    }
    this.predicted[column] += found ? 1 : 0
    this.actual[column] += target
    this.total += 1
    if (found === (target === 1)) this.right += 1
    if (found && target === 1) this.truePositives[column] += 1
  }
}

function ignoreIndexOf(metric: string, options: ClassMetricOptions): number {
  refuseOptions(`${metric}()`, options, { ignoreIndex: true })
  return options.ignoreIndex ?? -100
}

/**
 * The share of targets whose class has the largest output; with float32 targets 0 and 1 of the outputs' shape, of those on the right
 * side of 0.
 *
 * Outputs are logits `[N, C]` or `[N, T, C]`, targets int32 `[N]` or `[N, T]`.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError} when shapes, dtypes or classes do not fit.
 * @example
 * ```ts
 * const { metrics } = await testModel(model, loader, { metrics: { accuracy: accuracy() } })
 * ```
 */
export function accuracy(options: ClassMetricOptions = {}): Metric<number> {
  const hits = new Hits('accuracy', ignoreIndexOf('accuracy', options))
  return metricOf(hits, () => hits.right / hits.total)
}

/** How the numbers of the classes become one. */
export interface AverageOptions<Average extends 'macro' | 'none'> extends ClassMetricOptions {
  /** `'macro'`: their mean over the classes that occur or are found. `'none'`: one for each class. @default 'macro' */
  average?: Average
}

/** A metric of one number, or with `average: 'none'` of one for each class. */
export type AveragedMetric<Average> = Metric<Average extends 'none' ? number[] : number>

/** A number of each class, averaged or not; 0 where it would be 0/0, as scikit-learn has it. */
function perClass<Average extends 'macro' | 'none'>(
  name: string,
  options: AverageOptions<Average>,
  score: (truePositives: number, predicted: number, actual: number) => number,
): AveragedMetric<Average> {
  refuseOptions<object>(`${name}()`, options, { ignoreIndex: true, average: true })
  const { average = 'macro', ignoreIndex = -100 } = options
  if (average !== 'macro' && average !== 'none') {
    throw new TrainOptionError(`${name}: average is ${JSON.stringify(average)}, expected 'macro' or 'none'`)
  }
  const hits = new Hits(name, ignoreIndex)
  return metricOf(hits, () => {
    const { truePositives, predicted, actual } = hits
    const scores = actual.map((count, k) => score(truePositives[k], predicted[k], count) || 0)
    if (average === 'none') return scores
    const present = scores.filter((_, k) => actual[k] + predicted[k] > 0)
    return present.reduce((sum, value) => sum + value, 0) / present.length
  }) as AveragedMetric<Average>
}

/**
 * Of what was found to be of a class, the share that is.
 *
 * Outputs and targets are as for {@link accuracy}.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError}.
 * @example
 * ```ts
 * const metrics = { precision: precision(), perClass: precision({ average: 'none' }) }
 * ```
 */
export function precision<Average extends 'macro' | 'none' = 'macro'>(
  options: AverageOptions<Average> = {},
): AveragedMetric<Average> {
  return perClass('precision', options, (truePositives, predicted) => truePositives / predicted)
}

/**
 * Of what is of a class, the share that was found.
 *
 * Outputs and targets are as for {@link accuracy}.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError}.
 * @example
 * ```ts
 * const metrics = { recall: recall() }
 * ```
 */
export function recall<Average extends 'macro' | 'none' = 'macro'>(
  options: AverageOptions<Average> = {},
): AveragedMetric<Average> {
  return perClass('recall', options, (truePositives, _, actual) => truePositives / actual)
}

/**
 * The harmonic mean of {@link precision} and {@link recall}, of each class before they are averaged.
 *
 * Outputs and targets are as for {@link accuracy}.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError}.
 * @example
 * ```ts
 * const metrics = { f1: f1() }
 * ```
 */
export function f1<Average extends 'macro' | 'none' = 'macro'>(
  options: AverageOptions<Average> = {},
): AveragedMetric<Average> {
  return perClass('f1', options, (truePositives, predicted, actual) => (2 * truePositives) / (predicted + actual))
}

function metricOf<Value>(hits: Hits, value: () => Value): Metric<Value> {
  const [update, reset] = [hits.update.bind(hits), hits.reset.bind(hits)]
  return { better: 'higher', update, reset, value }
}

/**
 * How often each class was taken for each: `value()[target][predicted]`.
 *
 * Outputs are logits `[N, C]` or `[N, T, C]`, targets int32 `[N]` or `[N, T]`.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError} when shapes, dtypes or classes do not fit.
 * @example
 * ```ts
 * const { metrics } = await testModel(model, loader, { metrics: { confusion: confusion() } })
 * console.log(metrics.confusion[3][5]) // how many threes were taken for fives
 * ```
 */
export function confusion(options: ClassMetricOptions = {}): Metric<number[][]> {
  const ignoreIndex = ignoreIndexOf('confusion', options)
  let matrix: number[][] = []
  return {
    reset() {
      matrix = []
    },
    update(outputs, targets) {
      const classes = classesOf('confusion', outputs, targets)
      while (matrix.length < classes) matrix.push(new Array<number>(classes).fill(0))
      forEachClass('confusion', outputs, targets, ignoreIndex, (row, target) => {
        matrix[target][argmax(row, 0, classes)] += 1
      })
    },
    value: () => matrix,
  }
}

/** Options of {@link topK}. */
export interface TopKOptions extends ClassMetricOptions {
  /** How many of the largest outputs count. @default 5 */
  k?: number
}

/**
 * The share of targets whose class is among the `k` with the largest outputs; of equal ones the first.
 *
 * Outputs are logits `[N, C]` or `[N, T, C]`, targets int32 `[N]` or `[N, T]`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range; in an evaluation {@link TargetError}.
 * @example
 * ```ts
 * const metrics = { top3: topK({ k: 3 }) }
 * ```
 */
export function topK(options: TopKOptions = {}): Metric<number> {
  refuseOptions('topK()', options, { k: true, ignoreIndex: true })
  const { k = 5, ignoreIndex = -100 } = options
  if (!Number.isInteger(k) || k < 1) throw new TrainOptionError(`topK: k is ${k}, expected an integer of at least 1`)
  return meanOverTargets('topK', 'higher', ignoreIndex, (row, target) => {
    if (row.length < k) throw new TargetError(`topK: k is ${k}, the outputs have ${row.length} classes; lower k`)
    const own = row[target]
    let before = 0
    row.forEach((value, index) => {
      if (value > own || (value === own && index < target)) before += 1
    })
    return before < k && !Number.isNaN(own) ? 1 : 0
  })
}

/**
 * The perplexity e^(mean of −log softmax(outputs)[target]) of a language model.
 *
 * Outputs are logits `[N, T, C]` or `[N, C]`, targets int32 `[N, T]` or `[N]`.
 *
 * @throws {@link TrainOptionError} for an unknown option; in an evaluation {@link TargetError} when shapes, dtypes or classes do not fit.
 * @example
 * ```ts
 * const metrics = { perplexity: perplexity() }
 * ```
 */
export function perplexity(options: ClassMetricOptions = {}): Metric<number> {
  const ignoreIndex = ignoreIndexOf('perplexity', options)
  const minusLogP = (row: Float32Array | Int32Array, target: number): number => {
    const max = row[argmax(row, 0, row.length)]
    return Math.log((row as Float32Array).reduce((all, value) => all + Math.exp(value - max), 0)) - (row[target] - max)
  }
  return meanOverTargets('perplexity', 'lower', ignoreIndex, minusLogP, Math.exp)
}

/** The mean of a number of each target and its row of outputs; `finish` makes the value of it. */
function meanOverTargets(
  name: string,
  better: BetterWhen,
  ignoreIndex: number,
  numberOf: (row: Float32Array | Int32Array, target: number) => number,
  finish = (mean: number): number => mean,
): Metric<number> {
  let [sum, total] = [0, 0]
  return {
    better,
    reset() {
      sum = 0
      total = 0
    },
    update(outputs, targets) {
      forEachClass(name, outputs, targets, ignoreIndex, (row, target) => {
        sum += numberOf(row, target)
        total += 1
      })
    },
    value: () => finish(sum / total),
  }
}

/** Calls with each target that counts, and its row of outputs. */
function forEachClass(
  name: string,
  outputs: TensorValues,
  targets: TensorValues,
  ignoreIndex: number,
  each: (row: Float32Array | Int32Array, target: number) => void,
): void {
  const classes = classesOf(name, outputs, targets)
  targets.values.forEach((target, at) => {
    if (target === ignoreIndex) return
    each(outputs.values.subarray(at * classes, (at + 1) * classes), requireClass(name, target, classes))
  })
}
