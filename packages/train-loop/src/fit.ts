import type { Callbacks, EpochEnd } from './callbacks/callbacks'
import { TrainOptionError } from './errors'
import { crossEntropy } from './losses/cross-entropy'
import type { BatchSource, LossFunction, Trainable } from './model'
import type { Optimizer } from './optimizers/optimizer'
import type { Schedule } from './schedules'
import { testModel } from './test-model'
import { trainModel } from './train-model'

/** How {@link fit} trains. */
export interface FitOptions {
  /** Takes the steps; its `lr` at the start is the schedule's initial one. */
  optimizer: Optimizer
  /** The training batches, iterated once per epoch. */
  train: BatchSource
  /** Evaluate on these batches after each epoch. No evaluation when absent. */
  test?: BatchSource
  /** How many times to go through the training data. @default 10 */
  epochs?: number
  /** What to minimise. @default crossEntropy */
  loss?: LossFunction
  /** The learning rate by epoch. Constant when absent. */
  schedule?: Schedule
  /** Scale gradients down to this common L2 norm. No limit when absent. */
  maxGradientNorm?: number
  /** Who is told what happens, in this order. */
  callbacks?: readonly Callbacks[]
  /** Stops after the step under way; the epoch that was cut gets no entry in the history. */
  signal?: AbortSignal
}

/** What {@link fit} did. */
export interface FitResult {
  /** One entry per complete epoch. */
  history: EpochEnd[]
  /** Why it ended. */
  ended: 'completed' | 'stopped' | 'aborted'
}

/**
 * Trains for several epochs, with an evaluation after each.
 *
 * @throws {@link TrainOptionError} when `epochs` is no positive integer; and what the model, the data or a callback throw.
 * @example
 * ```ts
 * const { history } = await fit(model, { optimizer: new Adam(model.parameters()), train: loader, test: testLoader, epochs: 10 })
 * ```
 */
export async function fit(model: Trainable, options: FitOptions): Promise<FitResult> {
  const { optimizer, train, test, epochs = 10, loss = crossEntropy, schedule, maxGradientNorm, signal } = options
  const { callbacks = [] } = options
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new TrainOptionError(`epochs is ${epochs}, expected an integer of at least 1`)
  }
  const initialLr = optimizer.lr
  const history: EpochEnd[] = []
  let stopped = false
  const control = {
    stop() {
      stopped = true
    },
  }
  for (const callback of callbacks) await callback.onFitBegin?.({ epochs })
  for (let epoch = 1; epoch <= epochs && !stopped && !signal?.aborted; epoch++) {
    if (schedule) optimizer.lr = schedule(epoch - 1, initialLr)
    const { lr } = optimizer
    for (const callback of callbacks) await callback.onEpochBegin?.({ epoch, epochs, lr })
    const began = performance.now()
    const trained = await trainModel(model, optimizer, loss, train, {
      maxGradientNorm,
      signal,
      async onBatchBegin(event) {
        for (const callback of callbacks) await callback.onBatchBegin?.({ ...event, epoch, epochs })
      },
      async onBatchEnd(event) {
        for (const callback of callbacks) await callback.onBatchEnd?.({ ...event, epoch, epochs })
      },
    })
    const seconds = (performance.now() - began) / 1000
    if (trained.aborted) break
    const tested = test && (await testModel(model, test, { loss, signal }))
    if (signal?.aborted) break
    const end: EpochEnd = {
      epoch,
      epochs,
      lr,
      trainLoss: trained.loss,
      samples: trained.samples,
      seconds,
      test: tested,
    }
    history.push(end)
    for (const callback of callbacks) await callback.onEpochEnd?.(end, control)
  }
  for (const callback of callbacks) await callback.onFitEnd?.({ history })
  return { history, ended: signal?.aborted ? 'aborted' : stopped ? 'stopped' : 'completed' }
}
