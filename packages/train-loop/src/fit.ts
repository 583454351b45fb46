import type { OptionNames } from '@rowwise/errors'
import type { Callbacks } from './callbacks/callbacks'
import { requireCallbacks } from './callbacks/check-callbacks'
import { Checkpointer, type CheckpointOptions, isResumable } from './checkpoints/checkpointer'
import { type RunPosition, startOfEpoch, startOfRun } from './checkpoints/run-state'
import { requireFiniteWeights } from './checkpoints/weights'
import { refuseOptions, requireLoss, requireModel, requireOptimizer, requireSignal, requireSource } from './checks'
import { CheckpointMismatchError, NonFiniteError, TrainOptionError } from './errors'
import type { EpochEnd, Resumed, TestResult } from './events'
import { crossEntropy } from './losses/cross-entropy'
import { type Metrics, requireMetrics } from './metrics/metric'
import type { BatchSource, LossFunction, NamedGradients, Trainable } from './model'
import { type Monitors, monitorsOf, readMonitor, requireMonitor } from './monitor'
import { groupsOf, type Optimizer } from './optimizers/optimizer'
import { trainedBy } from './optimizers/trained-by'
import type { PlateauSchedule } from './schedules/plateau'
import { isPlateau, requireSchedule, type Schedule, ScheduleRun } from './schedules/run'
import { testModel } from './test-model'
import { trainModel } from './train-model'

/** How {@link fit} trains. */
export interface FitOptions<M extends Metrics = Metrics> {
  /** Takes the steps; its `lr` at the start is the schedule's initial one. */
  optimizer: Optimizer
  /** The training batches, iterated once per epoch. */
  train: BatchSource
  /** Evaluate on these batches after each epoch: what the run is steered by. No evaluation when absent. */
  validation?: BatchSource
  /** Evaluate on these batches once, at the end. */
  test?: BatchSource
  /** What to find out in evaluations beside the loss, by name. @default {} */
  metrics?: M
  /** How many times to go through the training data. @default 10 */
  epochs?: number
  /** What to minimise. @default crossEntropy */
  loss?: LossFunction
  /** The learning rate by epoch or step, or following a number of the validation. Constant when absent. */
  schedule?: Schedule | PlateauSchedule
  /** Scale gradients down to this common L2 norm. No limit when absent. */
  maxGradientNorm?: number
  /** Who is told what happens, in this order. */
  callbacks?: readonly Callbacks<NoInfer<M>>[]
  /** Stops after the step under way; the epoch that was cut gets no entry in the history. */
  signal?: AbortSignal
  /**
   * Save everything needed to go on: in this directory before the first step, every 10 seconds or as the options say, after each
   * epoch unless the options say otherwise, when the signal stops it, and at the end. Needs a file system.
   */
  checkpoint?: string | CheckpointOptions
  /** Go on from the newest checkpoint, bit for bit; from the start when there is none. @default false */
  resume?: boolean
}

const OPTIONS: OptionNames<FitOptions> = {
  ...{ optimizer: true, train: true, validation: true, test: true, metrics: true, epochs: true, loss: true },
  ...{ schedule: true, maxGradientNorm: true, callbacks: true, signal: true, checkpoint: true, resume: true },
}

/** What {@link fit} did. */
export interface FitResult<M extends Metrics = Metrics> {
  /** One entry per complete epoch. */
  history: EpochEnd<M>[]
  /** The evaluation of the test data with the last weights; absent without such data, and when the run was aborted. */
  test?: TestResult<M>
  /** Why it ended. */
  ended: 'completed' | 'stopped' | 'aborted'
}

/**
 * Trains for several epochs, with a validation after each and a test at the end.
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
 * const metrics = { accuracy: accuracy() }
const { history } = await fit(model, { optimizer, train, validation, metrics, epochs: 10, checkpoint: 'runs/a', resume: true })
console.log(history.at(-1)?.validation?.metrics.accuracy)
 * ```
 */
export async function fit<M extends Metrics = Record<never, never>>(
  model: Trainable,
  options: FitOptions<M>,
): Promise<FitResult<M>> {
  const monitors = checkOptions(model, options)
  const checkpoints = await openCheckpoints(model, options)
  try {
    return (await run(model, options, monitors, checkpoints)) as FitResult<M>
  } finally {
    await checkpoints?.close()
  }
}

/** Refuses what cannot be trained, before anything is. Gives what a run can be steered by. */
function checkOptions(model: Trainable, options: FitOptions): Monitors {
  requireModel('fit()', model)
  refuseOptions('fit()', options, OPTIONS)
  const { optimizer, train, validation, test, metrics = {}, epochs = 10, loss = crossEntropy } = options
  const { schedule, maxGradientNorm, callbacks = [], checkpoint, signal } = options
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new TrainOptionError(`epochs is ${epochs}, expected an integer of at least 1`)
  }
  requireOptimizer('fit()', optimizer)
  trainedBy(model, optimizer)
  requireSource('train', train, epochs)
  if (validation !== undefined) requireSource('validation', validation, epochs)
  if (test !== undefined) requireSource('test', test, 1)
  requireMetrics('fit()', metrics)
  requireLoss('fit()', loss)
  requireCallbacks(callbacks)
  requireSchedule(schedule)
  requireSignal('fit()', signal)
  if (maxGradientNorm !== undefined && !(typeof maxGradientNorm === 'number' && maxGradientNorm > 0)) {
    throw new TrainOptionError(`maxGradientNorm is ${maxGradientNorm}, expected a number over 0`)
  }
  const monitors = monitorsOf(metrics, validation !== undefined)
  if (schedule && isPlateau(schedule)) requireMonitor('schedule', monitors, schedule.monitor, schedule.better)
  if (typeof checkpoint === 'object') requireMonitor('checkpoint', monitors, checkpoint.monitor, checkpoint.better)
  return monitors
}

async function run(
  model: Trainable,
  options: FitOptions,
  monitors: Monitors,
  checkpoints: Checkpointer | null,
): Promise<FitResult> {
  const { optimizer, train, validation, test, metrics, epochs = 10, loss = crossEntropy, maxGradientNorm } = options
  const { callbacks = [], signal } = options
  const { position, resumed } = await start(checkpoints, optimizer)
  const schedule = new ScheduleRun(options.schedule, groupsOf(optimizer), position.initialLrs, monitors)
  const { history } = position
  let stopped = false
  const control = {
    stop() {
      stopped = true
    },
  }
  const save = async (end: EpochEnd | null): Promise<void> => {
    const { epoch, batch, step } = position
    for (const callback of callbacks) await callback.onCheckpoint?.({ epoch, batch, step })
    await checkpoints?.save(position, end && costOf(end, options.checkpoint, monitors))
  }

  /** Takes the steps of the epoch that are left; whether it got to the end. */
  const trainRest = async (epoch: number): Promise<boolean> => {
    const [began, before] = [performance.now(), position.seconds]
    const { aborted, lossSum, dataSeconds } = await trainModel(
      model,
      optimizer,
      loss,
      batchesLeft(train, position.batch),
      {
        maxGradientNorm,
        signal,
        from: { ...position },
        async onBatchBegin(event) {
          schedule.beginStep(position.step)
          const told = { ...event, epoch, epochs }
          for (const callback of callbacks) {
            const pending = callback.onBatchBegin?.(told)
            if (pending) await pending
          }
        },
        ...(callbacks.some(({ onGradients }) => onGradients) && {
          async onGradients(event: { batch: number; gradients: NamedGradients }) {
            for (const callback of callbacks) await callback.onGradients?.({ ...event, epoch, epochs })
          },
        }),
        async onBatchEnd(event) {
          const told = { ...event, epoch, epochs }
          for (const callback of callbacks) {
            const pending = callback.onBatchEnd?.(told)
            if (pending) await pending
          }
          position.batch = event.batch
          position.samples = event.samples
          position.step += 1
          if (!checkpoints?.isDue(position.step)) return
          position.lossSum = await event.lossSum()
          position.seconds = before + (performance.now() - began) / 1000
          await save(null)
        },
      },
    )
    position.lossSum = lossSum
    position.dataSeconds += dataSeconds
    position.seconds = before + (performance.now() - began) / 1000
    position.trained = !aborted
    if (aborted && checkpoints && !checkpoints.isSaved(position)) await save(null)
    return position.trained
  }

  const runEpoch = async (epoch: number): Promise<void> => {
    schedule.beginEpoch(epoch - 1)
    for (const callback of callbacks) {
      await callback.onEpochBegin?.({ epoch, epochs, lr: groupsOf(optimizer)[0].lr, samples: position.samples })
    }
    if (!position.trained && !(await trainRest(epoch))) return
    await requireFiniteWeights(model, position.step)
    const validated = validation && (await testModel(model, validation, { loss, metrics, signal }))
    if (signal?.aborted) {
      if (checkpoints) await save(null)
      return
    }
    const { samples, seconds, dataSeconds } = position
    const [{ lr }, trainLoss] = [groupsOf(optimizer)[0], position.lossSum / samples]
    const end: EpochEnd = {
      epoch,
      epochs,
      lr,
      trainLoss,
      samples,
      seconds,
      dataSeconds,
      ...(validated && { validation: validated }),
    }
    history.push(end)
    for (const callback of callbacks) await callback.onEpochEnd?.(end, control)
    schedule.endEpoch(end)
    Object.assign(position, startOfEpoch(epoch + 1))
    if (checkpoints?.isEpochDue(epoch === epochs || stopped)) await save(end)
  }

  if (checkpoints && resumed === undefined) await checkpoints.save(position, null) // a run that cannot save ends here
  for (const callback of callbacks) await callback.onFitBegin?.({ epochs, history, resumed, monitors }, control)
  while (position.epoch <= epochs && !stopped && !signal?.aborted) {
    const { epoch } = position
    await runEpoch(epoch).catch((error) => {
      throw withPosition(error, epoch, checkpoints)
    })
  }
  if (signal?.aborted && checkpoints && !checkpoints.isSaved(position)) await save(null)
  const found = test && !signal?.aborted ? await testModel(model, test, { loss, metrics, signal }) : undefined
  const tested = found && !signal?.aborted ? { test: found } : {}
  for (const callback of callbacks) await callback.onFitEnd?.({ history, ...tested })
  const ended = signal?.aborted ? 'aborted' : stopped ? 'stopped' : 'completed'
  return { history, ended, ...tested }
}

/** What the best checkpoint has least of: a loss, or minus a metric of which more is better. */
function costOf(end: EpochEnd, checkpoint: FitOptions['checkpoint'], monitors: Monitors): number {
  const { monitor: wanted, better: given } = typeof checkpoint === 'object' ? checkpoint : {}
  const { monitor, better } = requireMonitor('checkpoint', monitors, wanted, given)
  const value = readMonitor('checkpoint', end, monitor)
  return better === 'higher' ? -value : value
}

/** The checkpoints, where they are asked for; refuses to write over another run's. */
async function openCheckpoints(model: Trainable, options: FitOptions): Promise<Checkpointer | null> {
  const { checkpoint, resume = false, optimizer, train, schedule } = options
  if (checkpoint === undefined) {
    if (resume) throw new TrainOptionError('resume is true without checkpoint; pass the directory to resume from')
    return null
  }
  const settings = typeof checkpoint === 'string' ? { directory: checkpoint } : checkpoint
  const checkpoints = await Checkpointer.open(settings, { model, optimizer, train, schedule })
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
  return checkpoints?.hasCheckpoint
    ? checkpoints.resume()
    : { position: startOfRun(groupsOf(optimizer).map(({ lr }) => lr)) }
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
