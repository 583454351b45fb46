import type { SelectedBackend } from '@rowwise/backend-select'
import type { RecurrentNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { fit, type Metrics } from '@rowwise/train-loop'
import { isInterruption } from '../exit'
import { whatDecidesNumbers } from '../run/decisive'
import { imageTask } from '../run/image-task'
import { startBackend } from '../run/prepare'
import { optimizerOf, scheduleOf } from '../run/recipe'
import { openRun, resumeCommand } from '../run/resume'
import type { RunDirectory } from '../run/run-directory'
import { seriesTask } from '../run/series-task'
import type { RunSettings, TrainFlags } from '../run/settings'
import type { Task } from '../run/task'
import { encodeWeights } from '../run/weights-file'
import { computedBy } from '../show/computed-by'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { intoDirectory, jsonLines, terminal } from '../show/training'
import { type StopOnSignal, stopOnSignal } from '../stop-on-signal'
import { intoTensorBoard } from '../tensorboard/callbacks'

/**
 * `rowwise train`: trains, evaluates after each epoch, and leaves weights, metrics, checkpoints and settings in a directory.
 *
 * @param isGiven whether the user gave an option, so that one of a resumed run is not overruled by a default
 */
export async function train(flags: TrainFlags, isGiven: (name: string) => boolean): Promise<void> {
  const stop = stopOnSignal()
  try {
    const { settings, run, isResumed } = await openRun(flags, isGiven)
    try {
      const backend = await startBackend(flags)
      const training = { flags, settings, backend, stop, isResumed }
      if (settings.csv === undefined) await trainInto(run, await imageTask(settings, stop.signal), training)
      else await trainInto(run, await seriesTask(settings, stop.signal), training)
    } finally {
      await run.close()
    }
  } catch (error) {
    if (stop.signal.aborted && isInterruption(error)) process.exitCode = stop.exitCode()
    throw error
  } finally {
    stop.dispose()
  }
}

interface Training {
  flags: TrainFlags
  settings: RunSettings
  backend: SelectedBackend
  stop: StopOnSignal
  isResumed: boolean
}

async function trainInto<M extends Metrics>(
  run: RunDirectory,
  task: Task<M>,
  { flags, settings, backend, stop, isResumed }: Training,
): Promise<void> {
  const began = performance.now()
  // The order of draws is PyTorch's: seed, initial weights, then one order an epoch.
  const generator = new Generator(BigInt(settings.seed))
  const model = task.makeModel(generator)
  const { train: loader, validation, test } = task.loaders(generator)
  const optimizer = optimizerOf(model, settings)
  const schedule = scheduleOf(settings, loader.length)

  if (!isResumed) await run.removeEarlierRun()
  const every = flags.checkpointEvery
  const { trainingData: _, ...found } = task.decisive
  const config = { ...settings, ...found, preprocessing: task.metadata, computedBy: computedBy(backend) }
  const shown = { ...task, evaluated: validation ? 'Validation set' : 'Test set' }
  const header = [...task.header, model.summary(), `backend ${backend.name}, seed ${settings.seed}, into ${run.path}`]
  const { ended, test: tested } = await fit(model, {
    optimizer,
    train: loader,
    // Without validation data the test images are looked at after each epoch, as PyTorch's example does.
    validation: validation ?? test,
    ...(validation && { test }),
    loss: task.loss,
    metrics: task.metrics,
    schedule,
    epochs: settings.epochs,
    signal: stop.signal,
    callbacks: [
      intoDirectory(run, config, shown),
      ...(flags.tensorboard
        ? [intoTensorBoard(run.path, { model, settings: { ...settings }, stepsPerEpoch: loader.length, shown })]
        : []),
      flags.json ? jsonLines(shown) : terminal(header.join('\n'), task.samples, run.path, shown),
    ],
    checkpoint: {
      directory: run.checkpoints,
      everySeconds: 'seconds' in every ? every.seconds : undefined,
      everySteps: 'steps' in every ? every.steps : undefined,
      keep: flags.keep,
      config: { ...whatDecidesNumbers(settings), ...task.decisive },
    },
    resume: isResumed,
  })
  const weights = await run.writeWeights(await encodeWeights(model as RecurrentNet, task.metadata))
  const seconds = (performance.now() - began) / 1000
  const goOn = ended === 'aborted' ? resumeCommand(run.path) : undefined
  if (tested && !flags.json) print(task.line('Test set', tested))
  if (flags.json) {
    printJson({ type: 'end', ended, weights, seconds, resume: goOn, ...(tested && { test: task.shown(tested) }) })
  } else print(`${goOn ? 'Stopped' : 'Done'} in ${duration(seconds)}; weights in ${weights}`)
  if (goOn && !flags.json) print(`go on with: ${goOn}`)
  if (goOn) process.exitCode = stop.exitCode()
}
