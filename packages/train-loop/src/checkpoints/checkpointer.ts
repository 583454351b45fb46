import { checkCanSave } from '@rowwise/atomic-file'
import { DirectoryInUseError, DirectoryLock } from '@rowwise/directory-lock'
import { type OptionNames, reasonOf } from '@rowwise/errors'
import { getBackend } from '@tensorflow/tfjs-core'
import { refuseOptions } from '../checks'
import { CheckpointMismatchError, CheckpointWriteError, TrainOptionError } from '../errors'
import type { Resumed } from '../events'
import type { BetterWhen } from '../metrics/metric'
import type { BatchSource, Trainable } from '../model'
import { checkBetterWhen } from '../monitor'
import type { Optimizer } from '../optimizers/optimizer'
import type { PlateauSchedule, PlateauState } from '../schedules/plateau'
import { isPlateau, type Schedule } from '../schedules/run'
import { CheckpointDirectory } from './checkpoint-directory'
import { differences } from './config'
import type { RunPosition } from './run-state'
import { checkShapes, loadWeights, readWeights, refuseNonFinite } from './weights'

/** A random stream that a checkpoint can hold, such as `Generator` of `@rowwise/torch-random`. */
export interface StatefulGenerator {
  /** Everything needed to go on. */
  state(): Uint8Array
  /** Goes on where `state()` was taken. */
  setState(state: Uint8Array): unknown
}

/** A source of batches that can go on in the middle of an epoch, such as `DataLoader` of `@rowwise/data-mnist`. */
export interface ResumableSource {
  /** Where it stands, as plain data. */
  state(): unknown
  /** Goes back there: the next loop hands out the batches that were left. */
  restore(state: unknown): void
}

/** What `fit` saves while it trains, and when. */
export interface CheckpointOptions {
  /** Where the checkpoints lie; made when it is not there. One run's alone. */
  directory: string
  /** Save when this many seconds have passed since the last time. @default 10, or never when `everySteps` is given */
  everySeconds?: number
  /** Save after every so many steps. Never when absent. */
  everySteps?: number
  /** Save after each epoch too, so that the best of them can be found. @default true */
  everyEpoch?: boolean
  /** How many of the newest stay, besides the best. @default 2 */
  keep?: number
  /** Settings that a resumed run must share, as JSON, such as batch size, seed and data set. @default {} */
  config?: Readonly<Record<string, unknown>>
  /**
   * What the best checkpoint is the best in: `trainLoss`, `validationLoss`, or the name of a metric.
   *
   * @default 'validationLoss', or 'trainLoss' without a validation
   */
  monitor?: string
  /** Whether smaller or larger is better. @default what the metric says; 'lower' for losses */
  better?: BetterWhen
  /** What computes, in words: on anything else a resumed run is not bit-equal. @default the backend's name and what the model says */
  computedBy?: string
  /** Random streams to save and restore, by name; a loader saves its own. */
  generators?: Readonly<Record<string, StatefulGenerator>>
}

const OPTIONS: OptionNames<CheckpointOptions> = {
  ...{
    directory: true,
    everySeconds: true,
    everySteps: true,
    everyEpoch: true,
    keep: true,
    config: true,
    computedBy: true,
  },
  ...{ monitor: true, better: true, generators: true },
}

const DEFAULT_SECONDS = 10
const DEFAULT_KEEP = 2

/** What is being trained. */
interface Subject {
  model: Trainable
  optimizer: Optimizer
  train: BatchSource
  schedule?: Schedule | PlateauSchedule
}

/** Saves a run as it goes, and takes it up again. */
export class Checkpointer {
  private lastSave = performance.now()
  private savedStep = -1

  private constructor(
    private readonly lock: DirectoryLock,
    private readonly directory: CheckpointDirectory,
    private readonly config: Record<string, unknown>,
    private readonly options: CheckpointOptions,
    private readonly subject: Subject,
  ) {}

  /**
   * Takes the directory for this run, and sees that something can be saved there before there is something to lose.
   *
   * @throws {@link TrainOptionError} when an option is out of range, {@link DirectoryInUseError}, {@link CheckpointReadError},
   * {@link CheckpointWriteError}.
   */
  static async open(options: CheckpointOptions, subject: Subject): Promise<Checkpointer> {
    refuseOptions('checkpoint', options, OPTIONS)
    const { directory, everySeconds, everySteps, keep = DEFAULT_KEEP } = options
    if (typeof process !== 'object' || !process.getBuiltinModule) {
      throw new TrainOptionError('checkpoint needs a file system, which is missing here; leave it out in a browser')
    }
    if (everySeconds !== undefined && !(everySeconds > 0)) {
      throw new TrainOptionError(`checkpoint.everySeconds is ${everySeconds}, expected a number over 0`)
    }
    for (const [name, value] of Object.entries({ everySteps, keep })) {
      if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
        throw new TrainOptionError(`checkpoint.${name} is ${value}, expected an integer of at least 1`)
      }
    }
    checkBetterWhen('checkpoint', options.better)
    const config = asJson(options.config ?? {})
    const lock = await takeDirectory(directory)
    try {
      return new Checkpointer(lock, await CheckpointDirectory.open(directory), config, options, subject)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Gives the directory back. */
  close(): Promise<void> {
    return this.lock.release()
  }

  /** Whether there is a checkpoint to go on from. */
  get hasCheckpoint(): boolean {
    return this.directory.newest !== null
  }

  /** Where the newest checkpoint stands, in words. */
  describeNewest(): string {
    return this.directory.describeNewest()
  }

  /**
   * Sets everything back to the newest checkpoint.
   *
   * @throws {@link CheckpointMismatchError} that names both values, when it is of another run; nothing is changed then.
   */
  async resume(): Promise<{ position: RunPosition; resumed: Resumed }> {
    this.checkConfig()
    const stored = await this.directory.readNewest()
    const { model, optimizer, train, schedule } = this.subject
    const { run, weights, entry, skipped } = stored
    checkShapes(model.stateDict(), weights)
    if (run.optimizer !== null) requireMethod(optimizer, 'loadStateDict').call(optimizer, run.optimizer)
    const resumable = isResumable(train) ? train : null
    if (run.loader !== null) {
      if (resumable === null)
        throw new CheckpointMismatchError('the checkpoint has a loader state, train has no restore()')
      resumable.restore(run.loader)
    }
    if (schedule && isPlateau(schedule)) {
      if (run.schedule === null) throw new CheckpointMismatchError('the checkpoint has no state of a schedule')
      schedule.restore(run.schedule as PlateauState)
    }
    for (const [name, generator] of Object.entries(this.options.generators ?? {})) {
      const state = run.generators[name]
      if (state === undefined) throw new CheckpointMismatchError(`the checkpoint has no generator ${name}`)
      generator.setState(state)
    }
    loadWeights(model, weights)
    await this.directory.removeUnlisted()
    this.savedStep = run.position.step
    const { step, epoch, batch, computedBy: before } = entry
    const computedBy = { before, now: this.computedBy() }
    return {
      position: run.position,
      resumed: { directory: this.directory.path, step, epoch, batch, computedBy, skipped },
    }
  }

  /** Whether the time or the step has come. */
  isDue(step: number): boolean {
    const { everySteps, everySeconds = everySteps === undefined ? DEFAULT_SECONDS : undefined } = this.options
    const byTime = everySeconds !== undefined && performance.now() - this.lastSave >= 1000 * everySeconds
    return byTime || (everySteps !== undefined && step % everySteps === 0)
  }

  /** Whether a complete epoch is saved, the last of them always. */
  isEpochDue(isLast: boolean): boolean {
    return isLast || (this.options.everyEpoch ?? true)
  }

  /** Whether the newest checkpoint already stands at this step, in the middle of an epoch. */
  isSaved({ step }: RunPosition): boolean {
    return this.savedStep === step
  }

  /**
   * Saves everything.
   *
   * @param score what the best has least of; null in the middle of an epoch
   * @throws {@link NonFiniteError} when a weight is not finite, {@link CheckpointWriteError}; the last one then stays.
   */
  async save(position: RunPosition, score: number | null): Promise<void> {
    const { model, optimizer, train, schedule } = this.subject
    const weights = await readWeights(model)
    refuseNonFinite(weights, position.step)
    const { step, epoch, batch } = position
    if (!(await this.lock.isHeld())) {
      throw new CheckpointWriteError(
        `${this.directory.path} was taken over by another program while this one was suspended; nothing more is saved there`,
      )
    }
    const generators = Object.entries(this.options.generators ?? {})
    await this.directory.save(
      { step, epoch, batch, score: Number.isFinite(score) ? score : null, computedBy: this.computedBy() },
      weights,
      {
        position,
        optimizer: (await optimizer.stateDict?.()) ?? null,
        loader: isResumable(train) ? train.state() : null,
        schedule: schedule && isPlateau(schedule) ? schedule.state() : null,
        generators: Object.fromEntries(generators.map(([name, generator]) => [name, generator.state()])),
      },
      { keep: this.options.keep ?? DEFAULT_KEEP, config: this.config },
    )
    this.lastSave = performance.now()
    this.savedStep = step
  }

  private computedBy(): string {
    const { options, subject } = this
    return options.computedBy ?? [getBackend(), subject.model.computedBy?.()].filter(Boolean).join(', ')
  }

  private checkConfig(): void {
    const found = differences(this.directory.config ?? {}, this.config)
    if (found.length === 0) return
    const list = found.map(({ name, before, now }) => `${name} was ${before}, is now ${now}`).join('; ')
    throw new CheckpointMismatchError(
      `${this.directory.path} is of another run: ${list}; resume with the same settings, or start anew elsewhere`,
    )
  }
}

async function takeDirectory(directory: string): Promise<DirectoryLock> {
  if (typeof directory !== 'string' || directory === '') {
    throw new TrainOptionError(`checkpoint.directory is ${JSON.stringify(directory)}, expected the name of a directory`)
  }
  try {
    await checkCanSave(directory)
    return await DirectoryLock.require(directory)
  } catch (cause) {
    if (cause instanceof DirectoryInUseError) throw cause
    throw new CheckpointWriteError(
      `${directory}: checkpoints cannot be saved there: ${reasonOf(cause)}; choose another directory, or make it writable`,
      { cause },
    )
  }
}

function asJson(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return JSON.parse(JSON.stringify(config))
  } catch (cause) {
    throw new TrainOptionError(`checkpoint.config cannot be written as JSON: ${(cause as Error).message}`, { cause })
  }
}

/** Whether a source can say where it stands and go back there. */
export function isResumable(source: BatchSource): source is BatchSource & ResumableSource {
  const { state, restore } = source as Partial<ResumableSource>
  return typeof state === 'function' && typeof restore === 'function'
}

function requireMethod(optimizer: Optimizer, name: 'loadStateDict'): (state: unknown) => void {
  const method = optimizer[name]
  if (method) return method as (state: unknown) => void
  throw new CheckpointMismatchError(`the checkpoint has an optimizer state, this optimizer has no ${name}()`)
}
