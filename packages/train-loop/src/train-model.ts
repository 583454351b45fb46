import type { OptionNames } from '@rowwise/errors'
import { awaitValues } from '@rowwise/host-values'
import { Tensor } from '@tensorflow/tfjs-core'
import {
  emptySource,
  refuseOptions,
  requireBatch,
  requireLoss,
  requireModel,
  requireOptimizer,
  requireSignal,
  requireSource,
  samplesOf,
  weightOf,
} from './checks'
import { clipGradientNorm, gradientNorm } from './clip-gradients'
import { NonFiniteError } from './errors'
import { Breather } from './event-loop'
import type { BatchEnd } from './events'
import { noGradient, valueAndGradients } from './gradients'
import { LossMeter } from './loss-meter'
import { toTraining } from './mode'
import type { Batch, BatchSource, LossFunction, NamedGradients, Trainable } from './model'
import type { Optimizer } from './optimizers/optimizer'
import { trainedBy } from './optimizers/trained-by'

/** The part of an epoch that was trained before. */
export interface EpochProgress {
  /** Steps taken. */
  batch: number
  /** Samples seen. */
  samples: number
  /** Sum of the losses over those samples. */
  lossSum: number
}

/** How {@link trainModel} runs. */
export interface TrainModelOptions {
  /** Scale gradients down to this common L2 norm. No limit when absent. */
  maxGradientNorm?: number
  /** Stops after the step under way. */
  signal?: AbortSignal
  /** Counts on from here; the source hands out the batches that are left. The start of the epoch when absent. */
  from?: EpochProgress
  /** Called before each step, with its number in this epoch, counted from 1. */
  onBatchBegin?(event: { batch: number }): void | Promise<void>
  /** Called between the pullback and each step, with the gradients before they are clipped, by the optimizer's names; they are the loop's. */
  onGradients?(event: { batch: number; gradients: NamedGradients }): void | Promise<void>
  /** Called after each step. */
  onBatchEnd?(event: BatchEnd): void | Promise<void>
}

const OPTIONS: OptionNames<TrainModelOptions> = {
  ...{ maxGradientNorm: true, signal: true, from: true, onBatchBegin: true, onGradients: true, onBatchEnd: true },
}

/** What an epoch of training did. */
export interface TrainResult {
  /** Mean loss over the samples, each as of its own step; NaN when the signal came before the first. */
  loss: number
  /** Steps taken, those of `from` included. */
  batches: number
  /** Samples seen, those of `from` included. */
  samples: number
  /** Sum of the losses over those samples. */
  lossSum: number
  /** Seconds of waiting for batches. */
  dataSeconds: number
  /** Whether the signal ended it early. */
  aborted: boolean
}

/**
 * Trains for one epoch: one optimizer step per batch, in the order of the source. Leaves no tensor behind. A model in evaluation is
 * switched to training; of one in training, parts that are in evaluation stay so. An optimizer of a part trains that part.
 *
 * A loss that is NaN or infinite ends it before the weights take that step; on a GPU up to 64 steps later.
 *
 * @throws {@link TrainOptionError} when an argument is not what it should be; {@link EmptySourceError} when there is no batch;
 * {@link NonFiniteError} with step, lr and gradient norm; and what the model, the loss, the optimizer or the callback
 * throw.
 * @example
 * ```ts
 * const { loss } = await trainModel(model, new Adam(model.parameters()), crossEntropy, loader)
 * ```
 */
export async function trainModel(
  model: Trainable,
  optimizer: Optimizer,
  loss: LossFunction,
  batches: BatchSource,
  options: TrainModelOptions = {},
): Promise<TrainResult> {
  requireModel('trainModel()', model)
  requireOptimizer('trainModel()', optimizer)
  const taken = trainedBy(model, optimizer)
  requireLoss('trainModel()', loss)
  requireSource('batches', batches, 1)
  refuseOptions('trainModel()', options, OPTIONS)
  const { signal, from, onBatchBegin, onBatchEnd } = options
  requireSignal('trainModel()', signal)
  const meter = new LossMeter(from?.lossSum, from?.samples)
  const breather = new Breather()
  const losses = { loss: () => meter.last(), meanLoss: () => meter.mean(), lossSum: () => meter.total() }
  let { batch, samples } = from ?? { batch: 0, samples: 0 }
  let [asked, waited] = [performance.now(), 0]
  toTraining(model)
  if (!signal?.aborted) {
    try {
      for await (const item of batches) {
        waited += performance.now() - asked
        requireBatch(item, batch + 1)
        const begun = onBatchBegin?.({ batch: batch + 1 })
        if (begun) await begun // a wait for nothing costs a turn of the queue all the same
        const result = valueAndGradients(model, loss, item)
        const count = samplesOf(item)
        const added = meter.add(result.loss, count, weightOf(loss, count))
        if (!(added instanceof Promise ? await added : added)) {
          throw await notFinite(item, meter, batch + 1, optimizer, result.gradients)
        }
        const gradients = taken(result.gradients)
        if (Object.keys(gradients).length === 0) throw noGradient()
        const applied = applyGradients(optimizer, gradients, batch + 1, options)
        if (applied) await applied
        batch += 1
        samples += count
        const ended = onBatchEnd?.({ batch, samples, ...losses })
        if (ended) await ended
        if (breather.isDue) await breather.breathe()
        if (signal?.aborted) break
        asked = performance.now()
      }
      await meter.total() // reads the losses that wait
    } finally {
      meter.dispose()
    }
    if (batch === 0) throw emptySource('the training data')
  }
  const [mean, lossSum] = [await meter.mean(), await meter.total()]
  return { loss: mean, batches: batch, samples, lossSum, dataSeconds: waited / 1000, aborted: signal?.aborted ?? false }
}

/** The error of data that is not finite itself, which no setting helps; null when it is. */
async function nonFiniteData(name: string, data: unknown, batch: number): Promise<NonFiniteError | null> {
  if (!(data instanceof Tensor)) {
    for (const [key, part] of Object.entries(data ?? {})) {
      const found = part instanceof Tensor ? await nonFiniteData(`${name}.${key}`, part, batch) : null
      if (found) return found
    }
    return null
  }
  if (data.dtype !== 'float32') return null
  const values = await awaitValues(data)
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return null
  return new NonFiniteError(
    `the ${name} of batch ${batch} hold ${values[at]} at [${indicesOf(at, data.shape)}]; take such samples out or fill them in`,
  )
}

function indicesOf(flat: number, shape: readonly number[]): number[] {
  let rest = flat
  return [...shape]
    .reverse()
    .map((size) => {
      const index = rest % size
      rest = Math.floor(rest / size)
      return index
    })
    .reverse()
}

async function notFinite(
  { inputs, targets }: Batch,
  meter: LossMeter,
  batch: number,
  { lr }: Optimizer,
  gradients: NamedGradients,
): Promise<NonFiniteError> {
  const norm = await gradientNorm(gradients)
  disposeAll(gradients)
  const inData = (await nonFiniteData('inputs', inputs, batch)) ?? (await nonFiniteData('targets', targets, batch))
  if (inData) return inData
  return new NonFiniteError(
    `the loss is ${await meter.last()} at step ${batch} of the epoch (lr ${lr}, gradient norm ${norm}); ` +
      'lower lr or set maxGradientNorm',
  )
}

/** One step of the optimizer; a promise only where something is to be waited for. */
function applyGradients(
  optimizer: Optimizer,
  gradients: NamedGradients,
  batch: number,
  { maxGradientNorm, onGradients }: TrainModelOptions,
): void | Promise<void> {
  if (maxGradientNorm !== undefined || onGradients) return inspected()
  try {
    optimizer.step(gradients)
  } finally {
    disposeAll(gradients)
  }

  async function inspected(): Promise<void> {
    let taken = gradients
    try {
      await onGradients?.({ batch, gradients })
      if (maxGradientNorm !== undefined) taken = (await clipGradientNorm(gradients, maxGradientNorm)).gradients
      optimizer.step(taken)
    } finally {
      disposeAll(taken)
    }
  }
}

function disposeAll(gradients: NamedGradients): void {
  for (const gradient of Object.values(gradients)) gradient.dispose()
}
