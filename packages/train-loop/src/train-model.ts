import type { OptionNames } from '@rowwise/errors'
import { readValues } from '@rowwise/host-values'
import { dispose, Tensor } from '@tensorflow/tfjs-core'
import {
  emptySource,
  refuseOptions,
  requireBatch,
  requireLoss,
  requireModel,
  requireOptimizer,
  requireSource,
  samplesOf,
} from './checks'
import { clipGradientNorm, gradientNorm } from './clip-gradients'
import { NonFiniteError } from './errors'
import { Breather } from './event-loop'
import type { BatchEnd } from './events'
import { valueAndGradients } from './gradients'
import { LossMeter } from './loss-meter'
import type { BatchInputs, BatchSource, LossFunction, Trainable } from './model'
import type { Optimizer } from './optimizers/optimizer'

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
  /** Called after each step. */
  onBatchEnd?(event: BatchEnd): void | Promise<void>
}

const OPTIONS: OptionNames<TrainModelOptions> = {
  ...{ maxGradientNorm: true, signal: true, from: true, onBatchBegin: true, onBatchEnd: true },
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
  /** Whether the signal ended it early. */
  aborted: boolean
}

/**
 * Trains for one epoch: one optimizer step per batch, in the order of the source. Leaves no tensor behind.
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
  requireLoss('trainModel()', loss)
  requireSource('batches', batches, 1)
  refuseOptions('trainModel()', options, OPTIONS)
  const { maxGradientNorm, signal, from, onBatchBegin, onBatchEnd } = options
  const meter = new LossMeter(from?.lossSum, from?.samples)
  const breather = new Breather()
  let { batch, samples } = from ?? { batch: 0, samples: 0 }
  model.train?.(true)
  if (!signal?.aborted) {
    try {
      for await (const item of batches) {
        requireBatch(item, batch + 1)
        const { inputs, targets } = item
        await onBatchBegin?.({ batch: batch + 1 })
        const result = valueAndGradients(model, loss, { inputs, targets })
        const count = samplesOf(item)
        if (!meter.add(result.loss, count)) {
          throw notFinite(inputs, meter, batch + 1, optimizer, result.gradients)
        }
        applyGradients(optimizer, result.gradients, maxGradientNorm)
        batch += 1
        samples += count
        await onBatchEnd?.({
          batch,
          samples,
          loss: () => meter.last(),
          meanLoss: () => meter.mean(),
          lossSum: () => meter.total(),
        })
        if (breather.isDue) await breather.breathe()
        if (signal?.aborted) break
      }
    } finally {
      meter.last() // frees the losses that wait
    }
    if (batch === 0) throw emptySource('the training data')
  }
  return { loss: meter.mean(), batches: batch, samples, lossSum: meter.total(), aborted: signal?.aborted ?? false }
}

/** The error of inputs that are not finite themselves, which no setting helps; null when they are. */
function nonFiniteInputs(inputs: BatchInputs, batch: number): NonFiniteError | null {
  if (!(inputs instanceof Tensor)) {
    return Object.values(inputs).reduce<NonFiniteError | null>(
      (found, part) => found ?? (part instanceof Tensor ? nonFiniteInputs(part, batch) : null),
      null,
    )
  }
  if (inputs.dtype !== 'float32') return null
  const values = readValues(inputs)
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return null
  return new NonFiniteError(
    `the inputs of batch ${batch} hold ${values[at]} at [${indicesOf(at, inputs.shape)}]; take such samples out or fill them in`,
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

function notFinite(
  inputs: BatchInputs,
  meter: LossMeter,
  batch: number,
  { lr }: Optimizer,
  gradients: Parameters<Optimizer['step']>[0],
): NonFiniteError {
  const norm = gradientNorm(gradients)
  dispose({ ...gradients })
  const inInputs = nonFiniteInputs(inputs, batch)
  if (inInputs) return inInputs
  return new NonFiniteError(
    `the loss is ${meter.last()} at step ${batch} of the epoch (lr ${lr}, gradient norm ${norm}); ` +
      'lower lr or set maxGradientNorm',
  )
}

function applyGradients(
  optimizer: Optimizer,
  raw: Parameters<Optimizer['step']>[0],
  maxGradientNorm: number | undefined,
): void {
  let gradients = raw
  try {
    if (maxGradientNorm !== undefined) gradients = clipGradientNorm(raw, maxGradientNorm).gradients
    optimizer.step(gradients)
  } finally {
    dispose({ ...gradients })
  }
}
