// Trains in a thread of its own, so that the page never freezes.
import { DataLoader, type ImageDataset, loadMnist, normalize } from '@rowwise/data-mnist'
import { describeRecurrent, GRUNet, kernelReport, LSTMNet, type RecurrentNet, RNNNet, save } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, accuracy, confusion, fit } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import { setBackend, tensor3d, tidy } from '@tensorflow/tfjs-core'
import type { Command, Event, Settings } from './protocol'

/** The network of each cell. */
const NETS = { lstm: LSTMNet, gru: GRUNet, rnn: RNNNet } as const
const TELL_EVERY_MILLISECONDS = 500
const WRONG_SHOWN = 24
const transform = normalize(0.1307, 0.3081)

let pauseEnded: Promise<void> | null = null
let endPause = (): void => {}
let stop = new AbortController()

const tell = (event: Event): void => postMessage(event)

addEventListener('message', ({ data }: MessageEvent<Command>) => {
  if (data.type === 'start') run(data).catch(failed)
  if (data.type === 'pause') {
    pauseEnded = new Promise((resolve) => {
      endPause = resolve
    })
  }
  if (data.type === 'resume' || data.type === 'stop') {
    pauseEnded = null
    endPause()
  }
  if (data.type === 'stop') stop.abort()
})

/** Loading ends with the signal's reason when it is stopped. */
function failed(error: unknown): void {
  const isStopped = stop.signal.aborted && error === stop.signal.reason
  tell(isStopped ? { type: 'end', stopped: true } : { type: 'error', message: (error as Error).message })
}

async function run({ settings, dataRoot, steps }: Extract<Command, { type: 'start' }>): Promise<void> {
  stop = new AbortController()
  await setBackend('cpu') // the kernels do the work; the backend has the rest
  const data = await loadMnist({
    root: dataRoot,
    signal: stop.signal,
    onProgress: ({ file, received }) => tell({ type: 'loading', file, received }),
  })
  const { cell, batchSize, epochs, lr, hiddenSize, numLayers, seed } = settings
  const generator = new Generator(BigInt(seed))
  const model = new NETS[cell]({ hiddenSize, numLayers, generator })
  const loader = new DataLoader(data.train, { batchSize, shuffle: true, generator, transform })
  const progress = new StepReport(settings, data.train.length, loader.length)
  tell({ type: 'ready', computedBy: describeRecurrent(), notes: kernelReport().notes, stepsPerEpoch: loader.length })
  const { ended } = await fit(model, {
    optimizer: new Adam(model, { lr }),
    train: loader,
    validation: new DataLoader(data.test, { batchSize: 1000, transform }),
    metrics: { accuracy: accuracy(), confusion: confusion() },
    epochs,
    signal: stop.signal,
    callbacks: [
      {
        async onBatchEnd({ epoch, batch, loss }) {
          progress.add(epoch, batch, await loss())
          if (steps !== undefined && progress.steps >= steps) stop.abort()
          if (pauseEnded) {
            progress.tell()
            await pauseEnded
            progress.restart()
          }
        },
        async onEpochEnd({ epoch, validation }) {
          if (!validation) return
          progress.tell()
          tell({
            type: 'epoch',
            epoch,
            loss: validation.loss,
            ...validation.metrics,
            wrong: findWrong(model, data.test),
            weights: await save(model),
          })
          progress.restart()
        },
      },
    ],
  })
  progress.tell()
  tell({ type: 'end', stopped: ended === 'aborted', ...(progress.steps > 0 && { weights: await save(model) }) })
  model.dispose()
}

/** Gathers losses, and tells them now and then. */
class StepReport {
  steps = 0
  private losses: number[] = []
  private last = performance.now()
  private began = performance.now()
  private stepsSince = 0
  private epoch = 1
  private batch = 0

  constructor(
    private readonly settings: Settings,
    private readonly samples: number,
    private readonly stepsPerEpoch: number,
  ) {}

  add(epoch: number, batch: number, loss: number): void {
    this.losses.push(loss)
    this.steps += 1
    this.stepsSince += 1
    this.epoch = epoch
    this.batch = batch
    if (performance.now() - this.last > TELL_EVERY_MILLISECONDS) this.tell()
  }

  tell(): void {
    if (this.losses.length === 0) return
    const seconds = (performance.now() - this.began) / 1000
    const { batchSize, epochs } = this.settings
    const samplesPerSecond = (this.stepsSince * batchSize) / seconds
    const left = this.samples * (epochs - this.epoch + 1) - (this.batch * this.samples) / this.stepsPerEpoch
    const { epoch, steps: step, losses } = this
    tell({ type: 'steps', epoch, step, losses, samplesPerSecond, secondsLeft: left / samplesPerSecond })
    this.losses = []
    this.last = performance.now()
  }

  /** Leaves a pause or an evaluation out of the rate. */
  restart(): void {
    this.began = performance.now()
    this.stepsSince = 0
  }
}

function findWrong(model: RecurrentNet, test: ImageDataset): Extract<Event, { type: 'epoch' }>['wrong'] {
  const wrong: Extract<Event, { type: 'epoch' }>['wrong'] = []
  const batch = 500
  model.eval()
  for (let start = 0; start < test.length && wrong.length < WRONG_SHOWN; start += batch) {
    const pixels = test.images.subarray(start * 784, (start + batch) * 784)
    const logits = tidy(() =>
      model
        .forward(
          tensor3d(
            Float32Array.from(pixels, (pixel) => transform[pixel]),
            [batch, 28, 28],
          ),
        )
        .dataSync(),
    )
    for (let item = 0; item < batch && wrong.length < WRONG_SHOWN; item++) {
      const scores = Array.from(logits.subarray(10 * item, 10 * item + 10))
      const prediction = scores.indexOf(Math.max(...scores))
      const label = test.labels[start + item]
      if (prediction !== label) wrong.push({ pixels: pixels.slice(784 * item, 784 * (item + 1)), label, prediction })
    }
  }
  model.train()
  return wrong
}
