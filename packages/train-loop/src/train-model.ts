import { dispose } from '@tensorflow/tfjs-core'
import { clipGradientNorm } from './clip-gradients'
import { Breather } from './event-loop'
import { valueAndGradients } from './gradients'
import { LossMeter } from './loss-meter'
import type { BatchSource, LossFunction, Trainable } from './model'
import type { Optimizer } from './optimizers/optimizer'

/** What is known after a training step. */
export interface BatchEnd {
  /** Steps of this epoch so far, this one included. */
  batch: number
  /** Samples of this epoch so far, this batch's included. */
  samples: number
  /** This batch's loss; asking waits for the device. */
  loss(): number
  /** The mean loss of this epoch so far; asking waits for the device. */
  meanLoss(): number
}

/** How {@link trainModel} runs. */
export interface TrainModelOptions {
  /** Scale gradients down to this common L2 norm. No limit when absent. */
  maxGradientNorm?: number
  /** Stops after the step under way. */
  signal?: AbortSignal
  /** Called before each step, with its number in this epoch, counted from 1. */
  onBatchBegin?(event: { batch: number }): void | Promise<void>
  /** Called after each step. */
  onBatchEnd?(event: BatchEnd): void | Promise<void>
}

/** What an epoch of training did. */
export interface TrainResult {
  /** Mean loss over the samples, each as of its own step; NaN when there were none. */
  loss: number
  /** Steps taken. */
  batches: number
  /** Samples seen. */
  samples: number
  /** Whether the signal ended it early. */
  aborted: boolean
}

/**
 * Trains for one epoch: one optimizer step per batch, in the order of the source. Leaves no tensor behind.
 *
 * @throws what the model, the loss, the optimizer or the callback throw; nothing is caught.
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
  const { maxGradientNorm, signal, onBatchBegin, onBatchEnd } = options
  const meter = new LossMeter()
  const breather = new Breather()
  let [batch, samples] = [0, 0]
  model.train?.(true)
  if (!signal?.aborted) {
    try {
      for await (const { inputs, targets } of batches) {
        await onBatchBegin?.({ batch: batch + 1 })
        const result = valueAndGradients(model, loss, { inputs, targets })
        meter.add(result.loss, inputs.shape[0])
        applyGradients(optimizer, result.gradients, maxGradientNorm)
        batch += 1
        samples += inputs.shape[0]
        await onBatchEnd?.({ batch, samples, loss: () => meter.last(), meanLoss: () => meter.mean() })
        await breather.breathe()
        if (signal?.aborted) break
      }
    } finally {
      meter.last() // frees the losses that wait
    }
  }
  return { loss: meter.mean(), batches: batch, samples, aborted: signal?.aborted ?? false }
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
