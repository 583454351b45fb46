import { DataLoader, normalize, subset, VARIANTS } from '@rowwise/data-mnist'
import { LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, type Callbacks, fit } from '@rowwise/train-loop'
import { UsageError } from '../exit'
import type { CommonFlags, DataFlags } from '../options'
import { loadData, startBackend } from '../run/prepare'
import { RunDirectory } from '../run/run-directory'
import { encodeWeights, type Preprocessing } from '../run/weights-file'
import { print, printJson } from '../show/print'
import { duration, Progress } from '../show/progress'
import { testLine } from '../show/test-line'
import { stopOnSignal } from '../stop-on-signal'

/** The flags of `rowwise train`. */
export interface TrainFlags extends CommonFlags, DataFlags {
  epochs: number
  batchSize: number
  lr: number
  hiddenSize: number
  numLayers: number
  bidirectional?: boolean
  dropout: number
  seed: bigint
  samples?: number
  out?: string
  force?: boolean
}

/** Larger batches make the evaluation faster; its numbers do not depend on it. */
const TEST_BATCH_SIZE = 1000

/** `rowwise train`: trains, evaluates after each epoch, and leaves weights, metrics and settings in a directory. */
export async function train(flags: TrainFlags): Promise<void> {
  const began = performance.now()
  const backend = await startBackend(flags)
  const data = await loadData(flags)
  const training = flags.samples === undefined ? data.train : firstSamples(data.train, flags.samples)
  const { mean, std } = VARIANTS[flags.variant]
  const preprocessing: Preprocessing = { mean, std, classNames: training.classNames }
  const transform = normalize(mean, std)

  // The order of draws is PyTorch's: seed, initial weights, then one order an epoch.
  const generator = new Generator(flags.seed)
  const model = new LSTMNet({
    inputSize: training.width,
    hiddenSize: flags.hiddenSize,
    numLayers: flags.numLayers,
    numClasses: training.classNames.length,
    bidirectional: flags.bidirectional ?? false,
    dropout: flags.dropout,
    generator,
  })
  const loader = new DataLoader(training, { batchSize: flags.batchSize, shuffle: true, generator, transform })
  const testLoader = new DataLoader(data.test, { batchSize: TEST_BATCH_SIZE, transform })
  const optimizer = new Adam(model.parameters(), { lr: flags.lr })

  const run = await RunDirectory.create(flags.out, flags.force ?? false)
  await run.writeConfig({ model: model.config, ...settings(flags), preprocessing, backend })
  if (!flags.json) {
    print(
      `${training.length} training and ${data.test.length} test images, ${training.height} rows of ${training.width}`,
    )
    print(`${model.summary()}\nbackend ${backend.name}, seed ${flags.seed}, into ${run.path}`)
  }
  const stop = stopOnSignal()
  try {
    const { ended } = await fit(model, {
      optimizer,
      train: loader,
      test: testLoader,
      epochs: flags.epochs,
      signal: stop.signal,
      callbacks: [metricsInto(run), flags.json ? jsonLines() : terminal(training.length)],
    })
    const weights = await run.writeWeights(encodeWeights(model, preprocessing))
    const seconds = (performance.now() - began) / 1000
    if (flags.json) printJson({ type: 'end', ended, weights, seconds })
    else print(`${ended === 'aborted' ? 'Stopped' : 'Done'} in ${duration(seconds)}; weights in ${weights}`)
    if (ended === 'aborted') process.exitCode = stop.exitCode()
  } finally {
    run.close()
    stop.dispose()
  }
}

function firstSamples(dataset: Parameters<typeof subset>[0], samples: number): ReturnType<typeof subset> {
  if (samples > dataset.length) {
    throw new UsageError(`--samples is ${samples}, the data set has ${dataset.length} training images; ask for fewer`)
  }
  return subset(dataset, 0, samples)
}

function settings({ data, variant, epochs, batchSize, lr, seed, samples }: TrainFlags): object {
  return { data, variant, epochs, batchSize, lr, seed: String(seed), samples }
}

/** Every step's loss and every epoch's numbers, a JSON object a line. */
function metricsInto(run: RunDirectory): Callbacks {
  return {
    onBatchEnd({ epoch, batch, loss }) {
      run.addMetrics({ type: 'step', epoch, batch, loss: loss() })
    },
    onEpochEnd(event) {
      run.addMetrics({ type: 'epoch', ...event })
      run.flush()
    },
  }
}

function jsonLines(): Callbacks {
  return {
    onEpochEnd(event) {
      printJson({ type: 'epoch', ...event })
    },
  }
}

function terminal(samplesPerEpoch: number): Callbacks {
  const progress = new Progress()
  return {
    onEpochBegin({ epoch, epochs }) {
      progress.start(`Epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`, samplesPerEpoch)
    },
    onBatchEnd({ samples, meanLoss }) {
      if (progress.visible) progress.update(samples, samplesPerEpoch, meanLoss())
    },
    onEpochEnd({ epoch, epochs, trainLoss, samples, seconds, test }) {
      progress.stop()
      const rate = Math.round(samples / seconds)
      print(`Epoch ${epoch}/${epochs}: training loss ${trainLoss.toFixed(4)}, ${duration(seconds)}, ${rate} samples/s`)
      if (test) print(testLine(test))
    },
    onFitEnd() {
      progress.stop()
    },
  }
}
