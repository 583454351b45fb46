import { awaitValues, type HostArray } from '@rowwise/host-values'
import { dispose, type Tensor, tidy } from '@tensorflow/tfjs-core'
import {
  emptySource,
  ownTensor,
  refuseOptions,
  requireBatch,
  requireLoss,
  requireModel,
  requireOutputs,
  requireScalar,
  requireSignal,
  requireSource,
  samplesOf,
  weightOf,
} from './checks'
import { Breather } from './event-loop'
import type { TestResult } from './events'
import { crossEntropy } from './losses/cross-entropy'
import { type Metrics, type MetricValues, requireMetrics, type TensorValues } from './metrics/metric'
import { toEvaluation } from './mode'
import type { BatchSource, LossFunction, Trainable } from './model'

/** How {@link testModel} runs. */
export interface TestModelOptions<M extends Metrics = Metrics> {
  /** The loss to average. @default crossEntropy */
  loss?: LossFunction
  /** What else to find out, by name. @default {} */
  metrics?: M
  /** Stops after the batch under way. */
  signal?: AbortSignal
}

/**
 * Evaluates a model: the mean loss and the metrics. A batch counts for its samples: of a loss that leaves targets out (`ignoreIndex`, as
 * padding), the mean depends on how the batches are cut, and `perplexity` does not. The model is in evaluation meanwhile, and afterwards in the mode that it was in.
 * Leaves no tensor behind.
 *
 * @throws {@link TargetError} when outputs and targets do not fit the loss or a metric; {@link TrainOptionError} when an argument is
 * not what it should be; {@link EmptySourceError} when there is no batch.
 * @example
 * ```ts
 * const { loss, metrics } = await testModel(model, testLoader, { metrics: { accuracy: accuracy() } })
 * const forecast = await testModel(model, batches, { loss: mseLoss, metrics: { mae: meanAbsoluteError() } })
 * ```
 */
export async function testModel<M extends Metrics = Record<never, never>>(
  model: Trainable,
  batches: BatchSource,
  options: TestModelOptions<M> = {},
): Promise<TestResult<M>> {
  requireModel('testModel()', model)
  requireSource('batches', batches, 1)
  refuseOptions<object>('testModel()', options, { loss: true, metrics: true, signal: true })
  const { loss = crossEntropy, metrics = {} as M, signal } = options
  requireLoss('testModel()', loss)
  requireMetrics('testModel()', metrics)
  requireSignal('testModel()', signal)
  const breather = new Breather()
  let [lossSum, samples, number] = [0, 0, 0]
  for (const metric of Object.values(metrics)) metric.reset()
  const restore = toEvaluation(model)
  try {
    for await (const item of batches) {
      requireBatch(item, ++number)
      const { inputs, targets } = item
      const computed = tidy(() => {
        const outputs = ownTensor(requireOutputs(model.forward(inputs)))
        return { outputs, loss: requireScalar(ownTensor(loss(outputs, targets))) }
      })
      try {
        lossSum += (await awaitValues(computed.loss))[0] * weightOf(loss, samplesOf(item))
        await update(metrics, computed.outputs, targets)
      } finally {
        dispose(computed)
      }
      samples += samplesOf(item)
      if (breather.isDue) await breather.breathe()
      if (signal?.aborted) break
    }
  } finally {
    restore()
  }
  if (number === 0 && !signal?.aborted) throw emptySource('the test data')
  return { loss: lossSum / samples, samples, metrics: valuesOf(metrics) }
}

async function update(metrics: Metrics, outputs: Tensor, targets: Tensor): Promise<void> {
  const all = Object.values(metrics)
  if (all.length === 0) return
  const [found, expected] = [await tensorValues(outputs), await tensorValues(targets)]
  for (const metric of all) metric.update(found, expected)
}

async function tensorValues(tensor: Tensor): Promise<TensorValues> {
  return { values: await awaitValues<HostArray>(tensor), shape: tensor.shape, dtype: tensor.dtype }
}

function valuesOf<M extends Metrics>(metrics: M): MetricValues<M> {
  return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric.value()])) as MetricValues<M>
}
