import type { OptionNames } from '@rowwise/errors'
import type { Callbacks } from './callbacks/callbacks'
import { Checkpointer, type CheckpointOptions, isResumable } from './checkpoints/checkpointer'
import { type RunPosition, startOfEpoch, startOfRun } from './checkpoints/run-state'
import { refuseOptions, requireCallbacks, requireLoss, requireModel, requireOptimizer, requireSource } from './checks'
import { CheckpointMismatchError, NonFiniteError, TrainOptionError } from './errors'
import type { EpochEnd, Resumed } from './events'
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
  /**
   * Save everything needed to go on: in this directory before the first step, every 10 seconds or as the options say, after each
   * epoch, when the signal stops it, and at the end. Needs a file system.
   */
  checkpoint?: string | CheckpointOptions
  /** Go on from the newest checkpoint, bit for bit; from the start when there is none. @default false */
  resume?: boolean
}

const OPTIONS: OptionNames<FitOptions> = {
  ...{ optimizer: true, train: true, test: true, epochs: true, loss: true, schedule: true, maxGradientNorm: true },
  ...{ callbacks: true, signal: true, checkpoint: true, resume: true },
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
 * With `checkpoint` a run that is killed at any instant can be taken up again: model, optimizer, loader and generators as at the
 * start, and `resume: true`. On the same backend and kernels the result is bit-equal to that of a run that never stopped.
 *
 * @throws {@link TrainOptionError} when something is missing, unknown or out of range; {@link EmptySourceError} when there are no batches; {@link NonFiniteError} when the loss or a weight becomes NaN or
 * infinite; {@link CheckpointReadError}, {@link CheckpointMismatchError} or {@link CheckpointWriteError} when a checkpoint
 * cannot be read, is of another run, or cannot be written; {@link DirectoryInUseError} when another program saves there; and what the model, the data or a callback throw. The last good checkpoint stays.
 * @example
 * ```ts
 * const optimizer = new Adam(model.parameters())
 * const { history } = await fit(model, { optimizer, train, test, epochs: 10, checkpoint: 'runs/a', resume: true })
 * ```
 */
export async function fit(model: Trainable, options: FitOptions): Promise<FitResult> {
  checkOptions(model, options)
  const checkpoints = await openCheckpoints(model, options)
  try {
    return await run(model, options, checkpoints)
  } finally {
    await checkpoints?.close()
  }
}

/** Refuses what cannot be trained, before anything is. */
function checkOptions(model: Trainable, options: FitOptions): void {
  requireModel('fit()', model)
  refuseOptions('fit()', options, OPTIONS)
  const {
    optimizer,
    train,
    test,
    epochs = 10,
    loss = crossEntropy,
    schedule,
    maxGradientNorm,
    callbacks = [],
  } = options
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new TrainOptionError(`epochs is ${epochs}, expected an integer of at least 1`)
  }
  requireOptimizer('fit()', optimizer)
  requireSource('train', train, epochs)
  if (test !== undefined) requireSource('test', test, epochs)
  requireLoss('fit()', loss)
  requireCallbacks(callbacks)
  if (schedule !== undefined && typeof schedule !== 'function') {
    throw new TrainOptionError(`schedule is ${String(schedule)}, expected a function such as stepLR({ stepSize: 3 })`)
  }
  if (maxGradientNorm !== undefined && !(maxGradientNorm > 0)) {
    throw new TrainOptionError(`maxGradientNorm is ${maxGradientNorm}, expected a number over 0`)
  }
}

async function run(model: Trainable, options: FitOptions, checkpoints: Checkpointer | null): Promise<FitResult> {
  const { optimizer, train, test, epochs = 10, loss = crossEntropy, schedule, maxGradientNorm, signal } = options
  const { callbacks = [] } = options
  const { position, resumed } = await start(checkpoints, optimizer)
  const { history } = position
  let stopped = false
  const control = {
    stop() {
      stopped = true
    },
  }
  const save = async (score: number | null): Promise<void> => {
    const { epoch, batch, step } = position
    for (const callback of callbacks) await callback.onCheckpoint?.({ epoch, batch, step })
    await checkpoints?.save(position, score)
  }

  /** Takes the steps of the epoch that are left; whether it got to the end. */
  const trainRest = async (epoch: number): Promise<boolean> => {
    const [began, before] = [performance.now(), position.seconds]
    const { aborted, lossSum } = await trainModel(model, optimizer, loss, batchesLeft(train, position.batch), {
      maxGradientNorm,
      signal,
      from: { ...position },
      async onBatchBegin(event) {
        for (const callback of callbacks) await callback.onBatchBegin?.({ ...event, epoch, epochs })
      },
      async onBatchEnd(event) {
        for (const callback of callbacks) await callback.onBatchEnd?.({ ...event, epoch, epochs })
        position.batch = event.batch
        position.samples = event.samples
        position.step += 1
        if (!checkpoints?.isDue(position.step)) return
        position.lossSum = event.lossSum()
        position.seconds = before + (performance.now() - began) / 1000
        await save(null)
      },
    })
    position.lossSum = lossSum
    position.seconds = before + (performance.now() - began) / 1000
    position.trained = !aborted
    if (aborted && checkpoints && !checkpoints.isSaved(position)) await save(null)
    return position.trained
  }

  const runEpoch = async (epoch: number): Promise<void> => {
    if (schedule) optimizer.lr = schedule(epoch - 1, position.initialLr)
    const { lr } = optimizer
    for (const callback of callbacks) await callback.onEpochBegin?.({ epoch, epochs, lr, samples: position.samples })
    if (!position.trained && !(await trainRest(epoch))) return
    const tested = test && (await testModel(model, test, { loss, signal }))
    if (signal?.aborted) {
      if (checkpoints) await save(null)
      return
    }
    const { samples, seconds } = position
    const end: EpochEnd = { epoch, epochs, lr, trainLoss: position.lossSum / samples, samples, seconds, test: tested }
    history.push(end)
    for (const callback of callbacks) await callback.onEpochEnd?.(end, control)
    Object.assign(position, startOfEpoch(epoch + 1))
    if (checkpoints) await save(tested?.loss ?? end.trainLoss)
  }

  if (checkpoints && resumed === undefined) await checkpoints.save(position, null) // a run that cannot save ends here
  for (const callback of callbacks) await callback.onFitBegin?.({ epochs, history, resumed }, control)
  while (position.epoch <= epochs && !stopped && !signal?.aborted) {
    const { epoch } = position
    await runEpoch(epoch).catch((error) => {
      throw withPosition(error, epoch, checkpoints)
    })
  }
  for (const callback of callbacks) await callback.onFitEnd?.({ history })
  return { history, ended: signal?.aborted ? 'aborted' : stopped ? 'stopped' : 'completed' }
}

/** The checkpoints, where they are asked for; refuses to write over another run's. */
async function openCheckpoints(model: Trainable, options: FitOptions): Promise<Checkpointer | null> {
  const { checkpoint, resume = false, optimizer, train } = options
  if (checkpoint === undefined) {
    if (resume) throw new TrainOptionError('resume is true without checkpoint; pass the directory to resume from')
    return null
  }
  const settings = typeof checkpoint === 'string' ? { directory: checkpoint } : checkpoint
  const checkpoints = await Checkpointer.open(settings, { model, optimizer, train })
  if (checkpoints.hasCheckpoint && !resume) {
    await checkpoints.close()
    throw new CheckpointMismatchError(
      `${settings.directory} already holds a run: ${checkpoints.describeNewest()}; pass resume: true, or another directory`,
    )
  }
  return checkpoints
}

async function start(
  checkpoints: Checkpointer | null,
  optimizer: Optimizer,
): Promise<{ position: RunPosition; resumed?: Resumed }> {
  return checkpoints?.hasCheckpoint ? checkpoints.resume() : { position: startOfRun(optimizer.lr) }
}

/** The batches of an epoch that are left: the source knows by itself where it stands, or is read from its start. */
function batchesLeft(source: BatchSource, done: number): BatchSource {
  if (done === 0 || isResumable(source)) return source
  return (async function* () {
    let batch = 0
    for await (const item of source) {
      if (++batch > done) yield item
    }
  })()
}

function withPosition(error: unknown, epoch: number, checkpoints: Checkpointer | null): unknown {
  if (!(error instanceof NonFiniteError)) return error
  const last = checkpoints ? `; ${checkpoints.describeNewest()}` : ''
  return new NonFiniteError(`epoch ${epoch}: ${error.message}${last}`, { cause: error })
}
