import { createHash } from 'node:crypto'
import { DataLoader, type ImageDataset, normalize, subset, VARIANTS } from '@rowwise/data-mnist'
import { describeLSTM, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, fit } from '@rowwise/train-loop'
import { UsageError } from '../exit'
import { loadData, startBackend } from '../run/prepare'
import { resumeCommand, withSavedSettings } from '../run/resume'
import { RunDirectory } from '../run/run-directory'
import type { RunSettings, TrainFlags } from '../run/settings'
import { encodeWeights, type Preprocessing } from '../run/weights-file'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { jsonLines, metricsInto, terminal } from '../show/training'
import { stopOnSignal } from '../stop-on-signal'

/** Larger batches make the evaluation faster; its numbers do not depend on it. */
const TEST_BATCH_SIZE = 1000

/**
 * `rowwise train`: trains, evaluates after each epoch, and leaves weights, metrics, checkpoints and settings in a directory.
 *
 * @param isGiven whether the user gave an option, so that one of a resumed run is not overruled by a default
 */
export async function train(flags: TrainFlags, isGiven: (name: string) => boolean): Promise<void> {
  const began = performance.now()
  const stop = stopOnSignal()
  const { settings, resumedRun } = withSavedSettings(flags, isGiven)
  const backend = await startBackend(flags)
  const data = await loadData(settings, stop.signal).catch((error) => {
    if (stop.signal.aborted) process.exitCode = stop.exitCode()
    throw error
  })
  const training = settings.samples === undefined ? data.train : firstSamples(data.train, settings.samples)
  const { mean, std } = VARIANTS[settings.variant]
  const preprocessing: Preprocessing = { mean, std, classNames: training.classNames }
  const transform = normalize(mean, std)

  // The order of draws is PyTorch's: seed, initial weights, then one order an epoch.
  const generator = new Generator(BigInt(settings.seed))
  const model = new LSTMNet({
    inputSize: training.width,
    hiddenSize: settings.hiddenSize,
    numLayers: settings.numLayers,
    numClasses: training.classNames.length,
    bidirectional: settings.bidirectional,
    dropout: settings.dropout,
    generator,
  })
  const loader = new DataLoader(training, { batchSize: settings.batchSize, shuffle: true, generator, transform })
  const testLoader = new DataLoader(data.test, { batchSize: TEST_BATCH_SIZE, transform })
  const optimizer = new Adam(model.parameters(), { lr: settings.lr })

  const run = resumedRun ?? (await RunDirectory.create(flags.out, flags.force ?? false))
  await run.writeConfig({ ...settings, preprocessing, backend })
  if (!flags.json) {
    print(
      `${training.length} training and ${data.test.length} test images, ${training.height} rows of ${training.width}`,
    )
    print(`${model.summary()}\nbackend ${backend.name}, seed ${settings.seed}, into ${run.path}`)
    print(`if it is interrupted: ${resumeCommand(run.path)}`)
  }
  const every = flags.checkpointEvery
  try {
    const { ended } = await fit(model, {
      optimizer,
      train: loader,
      test: testLoader,
      epochs: settings.epochs,
      signal: stop.signal,
      callbacks: [metricsInto(run), flags.json ? jsonLines() : terminal(training.length)],
      checkpoint: {
        directory: run.checkpoints,
        everySeconds: 'seconds' in every ? every.seconds : undefined,
        everySteps: 'steps' in every ? every.steps : undefined,
        keep: flags.keep,
        config: whatDecidesNumbers(settings, training),
        computedBy: `${backend.name}, ${describeLSTM()}`,
      },
      resume: resumedRun !== undefined,
    })
    const weights = await run.writeWeights(encodeWeights(model, preprocessing))
    const seconds = (performance.now() - began) / 1000
    const goOn = ended === 'aborted' ? resumeCommand(run.path) : undefined
    if (flags.json) printJson({ type: 'end', ended, weights, seconds, resume: goOn })
    else print(`${goOn ? 'Stopped' : 'Done'} in ${duration(seconds)}; weights in ${weights}`)
    if (goOn && !flags.json) print(`go on with: ${goOn}`)
    if (goOn) process.exitCode = stop.exitCode()
  } finally {
    run.close()
    stop.dispose()
  }
}

function firstSamples(dataset: ImageDataset, samples: number): ImageDataset {
  if (samples > dataset.length) {
    throw new UsageError(`--samples is ${samples}, the data set has ${dataset.length} training images; ask for fewer`)
  }
  return subset(dataset, 0, samples)
}

/** What a resumed run must share; not the number of epochs, which may grow, nor where the data lie. */
function whatDecidesNumbers(
  { epochs: _, data: __, source: ___, ...settings }: RunSettings,
  training: ImageDataset,
): object & Record<string, unknown> {
  const digest = createHash('sha256').update(training.images).update(training.labels).digest('hex')
  return { ...settings, trainingData: `sha256:${digest}` }
}
