import { createHash } from 'node:crypto'
import type { SelectedBackend } from '@rowwise/backend-select'
import { DataLoader, type ImageDataset, type LoadedMnist, normalize, subset } from '@rowwise/data-mnist'
import { GRUNet, LSTMNet, type RecurrentNet, RNNNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, fit } from '@rowwise/train-loop'
import { isInterruption, UsageError } from '../exit'
import { loadData, startBackend } from '../run/prepare'
import { type Preprocessing, preprocessingOf } from '../run/preprocessing'
import { openRun, resumeCommand } from '../run/resume'
import type { RunDirectory } from '../run/run-directory'
import type { RunSettings, TrainFlags } from '../run/settings'
import { checkSizes } from '../run/sizes'
import { encodeWeights } from '../run/weights-file'
import { computedBy } from '../show/computed-by'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { classifierMetrics } from '../show/test-line'
import { intoDirectory, jsonLines, terminal } from '../show/training'
import { type StopOnSignal, stopOnSignal } from '../stop-on-signal'

/** Larger batches make the evaluation faster; its numbers do not depend on it. */
const TEST_BATCH_SIZE = 1000

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
      const data = await loadData(settings, stop.signal)
      await trainInto(run, { flags, settings, backend, data, stop, isResumed })
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

/** The network of each cell. */
const NETS = { lstm: LSTMNet, gru: GRUNet, rnn: RNNNet } as const

interface Training {
  flags: TrainFlags
  settings: RunSettings
  backend: SelectedBackend
  data: LoadedMnist
  stop: StopOnSignal
  isResumed: boolean
}

async function trainInto(
  run: RunDirectory,
  { flags, settings, backend, data, stop, isResumed }: Training,
): Promise<void> {
  const began = performance.now()
  const training = settings.samples === undefined ? data.train : firstSamples(data.train, settings.samples)
  checkSizes(settings, training)
  const preprocessing = preprocessingOf(settings, training)
  const { mean, std } = preprocessing
  const decisive = { ...settings, mean, std }
  const transform = normalize(mean, std)

  // The order of draws is PyTorch's: seed, initial weights, then one order an epoch.
  const generator = new Generator(BigInt(settings.seed))
  const model = new NETS[settings.cell]({ ...shapeOf(settings, training), generator })
  const loader = new DataLoader(training, { batchSize: settings.batchSize, shuffle: true, generator, transform })
  const testLoader = new DataLoader(data.test, { batchSize: TEST_BATCH_SIZE, transform })
  const optimizer = new Adam(model.parameters(), { lr: settings.lr })

  if (!isResumed) await run.removeEarlierRun()
  const every = flags.checkpointEvery
  const config = { ...decisive, preprocessing, computedBy: computedBy(backend) }
  const header = headerOf(run.path, { settings, backend, data, preprocessing, model, training })
  const { ended } = await fit(model, {
    optimizer,
    train: loader,
    validation: testLoader,
    metrics: classifierMetrics(),
    epochs: settings.epochs,
    signal: stop.signal,
    callbacks: [intoDirectory(run, config), flags.json ? jsonLines() : terminal(header, training.length, run.path)],
    checkpoint: {
      directory: run.checkpoints,
      everySeconds: 'seconds' in every ? every.seconds : undefined,
      everySteps: 'steps' in every ? every.steps : undefined,
      keep: flags.keep,
      config: whatDecidesNumbers(decisive, training),
    },
    resume: isResumed,
  })
  const weights = await run.writeWeights(await encodeWeights(model, preprocessing))
  const seconds = (performance.now() - began) / 1000
  const goOn = ended === 'aborted' ? resumeCommand(run.path) : undefined
  if (flags.json) printJson({ type: 'end', ended, weights, seconds, resume: goOn })
  else print(`${goOn ? 'Stopped' : 'Done'} in ${duration(seconds)}; weights in ${weights}`)
  if (goOn && !flags.json) print(`go on with: ${goOn}`)
  if (goOn) process.exitCode = stop.exitCode()
}

function shapeOf(settings: RunSettings, { width, classNames }: ImageDataset) {
  const { hiddenSize, numLayers, bidirectional, dropout } = settings
  return { inputSize: width, hiddenSize, numLayers, numClasses: classNames.length, bidirectional, dropout }
}

function firstSamples(dataset: ImageDataset, samples: number): ImageDataset {
  if (samples > dataset.length) {
    throw new UsageError(`--samples is ${samples}, the data set has ${dataset.length} training images; ask for fewer`)
  }
  return subset(dataset, 0, samples)
}

/** What a run prints before its first step. */
function headerOf(
  path: string,
  {
    settings,
    backend,
    data,
    preprocessing,
    model,
    training,
  }: Pick<Training, 'settings' | 'backend' | 'data'> & {
    preprocessing: Preprocessing
    model: RecurrentNet
    training: ImageDataset
  },
): string {
  const { mean, std, classNames } = preprocessing
  const measured = settings.data !== undefined && settings.variant === undefined && settings.mean === undefined
  return [
    `${training.length} training and ${data.test.length} test images, ${training.height} rows of ${training.width}`,
    ...(measured ? [`${classNames.length} classes; mean ${mean} and std ${std}, measured on the training images`] : []),
    model.summary(),
    `backend ${backend.name}, seed ${settings.seed}, into ${path}`,
  ].join('\n')
}

/** What a resumed run must share; not the number of epochs, which may grow, nor where the data are. */
function whatDecidesNumbers(
  { epochs: _, data: __, source: ___, ...settings }: RunSettings,
  training: ImageDataset,
): object & Record<string, unknown> {
  const digest = createHash('sha256').update(training.images).update(training.labels).digest('hex')
  return { ...settings, trainingData: `sha256:${digest}` }
}
