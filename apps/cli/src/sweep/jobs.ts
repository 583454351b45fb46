import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext, Trial, TrialReport } from '@rowwise/sweep'
import { Generator } from '@rowwise/torch-random'
import { type EpochEnd, fit, type Metrics } from '@rowwise/train-loop'
import { whatDecidesNumbers } from '../run/decisive'
import { imageTask } from '../run/image-task'
import { startBackend } from '../run/prepare'
import { optimizerOf, scheduleOf } from '../run/recipe'
import { seriesTask } from '../run/series-task'
import type { RunSettings } from '../run/settings'
import type { Task } from '../run/task'
import { encodeWeights } from '../run/weights-file'
import { settingsOfTrial } from './train-settings'

export { shard } from '../batch/shard'

const CHECKPOINTS = 'checkpoints'

/** What a trial leaves for `rowwise sweep best --weights`. */
export const WEIGHTS = 'model.safetensors'

/** Trains as `rowwise train` does, with the settings of a trial, and goes on from its checkpoint where there is one. */
export async function trial(given: Trial, context: JobContext): Promise<TrialReport> {
  const settings = settingsOfTrial(given)
  await startBackend({})
  if (settings.csv === undefined) return train(await imageTask(settings, context.signal), settings, given, context)
  return train(await seriesTask(settings, context.signal), settings, given, context)
}

async function train<M extends Metrics>(
  task: Task<M>,
  settings: RunSettings,
  { epochs, from }: Trial,
  { directory, signal }: JobContext,
): Promise<TrialReport> {
  const generator = new Generator(BigInt(settings.seed))
  const model = task.makeModel(generator)
  const { train: loader, validation } = task.loaders(generator)
  const optimizer = optimizerOf(model, settings)
  const checkpoints = join(directory, CHECKPOINTS)
  const { history } = await fit(model, {
    ...{ optimizer, train: loader, validation, loss: task.loss, metrics: task.metrics, epochs, signal },
    schedule: scheduleOf(settings, loader.length),
    checkpoint: {
      directory: checkpoints,
      keep: 1,
      everyEpoch: false,
      config: { ...whatDecidesNumbers(settings), ...task.decisive },
    },
    resume: true,
  })
  const weights = await encodeWeights(model, task.metadata)
  await writeFile(join(directory, WEIGHTS), weights)
  if (epochs === settings.epochs) await rm(checkpoints, { recursive: true, force: true }) // nothing goes on from here
  const numbers = history.map((end) => numbersOf(end, task))
  return {
    metrics: numbers[epochs - 1] ?? {},
    history: numbers.slice(from),
    weights: createHash('sha256').update(weights).digest('hex'),
  }
}

/** The numbers of an epoch, without those that a clock made. */
function numbersOf<M extends Metrics>(
  { epoch, lr, trainLoss, validation }: EpochEnd<M>,
  task: Task<M>,
): Record<string, number> {
  const shown = validation ? (task.shown(validation) as Record<string, unknown>) : {}
  const { correct, total, ...others } = shown
  const share: Record<string, number> =
    typeof correct === 'number' && typeof total === 'number' ? { accuracy: correct / total } : {}
  const numbers = Object.entries(others).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return { epoch, lr, trainLoss, ...Object.fromEntries(numbers), ...share }
}
