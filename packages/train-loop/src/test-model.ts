import type { OptionNames } from '@rowwise/errors'
import { type Tensor, tidy } from '@tensorflow/tfjs-core'
import { emptySource, refuseOptions, requireBatch, requireLoss, requireModel, requireSource, samplesOf } from './checks'
import { TargetError } from './errors'
import { Breather } from './event-loop'
import type { TestResult } from './events'
import { crossEntropy } from './losses/cross-entropy'
import type { BatchSource, LossFunction, Trainable } from './model'

/** How {@link testModel} runs. */
export interface TestModelOptions {
  /** The loss to average. @default crossEntropy */
  loss?: LossFunction
  /** Stops after the batch under way. */
  signal?: AbortSignal
}

const OPTIONS: OptionNames<TestModelOptions> = { loss: true, signal: true }

/**
 * Evaluates a classifier: mean loss, number correct and confusion matrix. The model is in evaluation meanwhile, and
 * afterwards in the mode that it was in. Leaves no tensor behind.
 *
 * @param model maps inputs to logits `[N, C]`
 * @param batches with int32 targets `[N]`
 * @throws {@link TargetError} when outputs are not `[N, C]`; {@link TrainOptionError} when an argument is not what it should be; {@link EmptySourceError} when there is no batch.
 * @example
 * ```ts
 * const { loss, correct, total } = await testModel(model, testLoader)
 * ```
 */
export async function testModel(
  model: Trainable,
  batches: BatchSource,
  options: TestModelOptions = {},
): Promise<TestResult> {
  requireModel('testModel()', model)
  requireSource('batches', batches, 1)
  refuseOptions('testModel()', options, OPTIONS)
  const { loss = crossEntropy, signal } = options
  requireLoss('testModel()', loss)
  const breather = new Breather()
  const wasTraining = model.training ?? true
  const result: TestResult = { loss: 0, correct: 0, total: 0, confusion: [] }
  model.train?.(false)
  let number = 0
  try {
    for await (const item of batches) {
      requireBatch(item, ++number)
      const { inputs, targets } = item
      const { logits, classes, batchLoss } = tidy(() => {
        const outputs = model.forward(inputs)
        requireClasses(outputs, targets)
        const [value] = loss(outputs, targets).dataSync()
        return { logits: outputs.dataSync(), classes: outputs.shape[1] as number, batchLoss: value }
      })
      count(result, logits, targets.dataSync(), classes)
      result.loss += batchLoss * samplesOf(item)
      if (breather.isDue) await breather.breathe()
      if (signal?.aborted) break
    }
  } finally {
    model.train?.(wasTraining)
  }
  if (number === 0 && !signal?.aborted) throw emptySource('the test data')
  return { ...result, loss: result.loss / result.total }
}

/** Refuses what has no class for each sample: counting would give numbers that mean nothing. */
function requireClasses(outputs: Tensor, targets: Tensor): void {
  if (outputs.rank === 2 && targets.rank === 1 && targets.dtype === 'int32') return
  throw new TargetError(
    `testModel() got outputs [${outputs.shape}] and ${targets.dtype} targets [${targets.shape}], expected the logits [N, C] and int32 classes [N] of a ` +
      'classifier; for another task, take the mean of your loss over the batches',
  )
}

function count(result: TestResult, logits: ArrayLike<number>, targets: ArrayLike<number>, classes: number): void {
  while (result.confusion.length < classes) result.confusion.push(new Array<number>(classes).fill(0))
  for (let sample = 0; sample < targets.length; sample++) {
    const predicted = argmax(logits, sample * classes, classes)
    result.confusion[targets[sample]][predicted] += 1
    result.correct += predicted === targets[sample] ? 1 : 0
  }
  result.total += targets.length
}

/** The first index of the largest value, as `torch.argmax` finds it. */
function argmax(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0
  for (let index = 1; index < length; index++) {
    if (values[start + index] > values[start + best]) best = index
  }
  return best
}
