import { DataLoader, type LoadedMnist, type LoadMnistOptions, normalize, subset } from '@rowwise/data-mnist'
import { configureKernels, kernelReport, LSTMNet, type RuntimeName } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import { setBackend } from '@tensorflow/tfjs-core'

/** What is trained; as plain data, so that it travels to a worker. */
export interface TrainRequest {
  source: LoadMnistOptions
  steps: number
  path: RuntimeName
  threads: number
}

/** What came of it. */
export interface Trained {
  losses: number[]
  path: string
  threads: number
  notes: string[]
  /** Milliseconds of a step, the later half of them. */
  stepMilliseconds: number
}

/** The reference program for some steps: the same here and in Node, which the test compares. */
export async function train({ steps, path, threads }: TrainRequest, data: LoadedMnist): Promise<Trained> {
  await setBackend('cpu')
  configureKernels({ path, threads })
  const generator = new Generator(0)
  const model = new LSTMNet({ generator })
  const transform = normalize(0.1307, 0.3081)
  const loader = new DataLoader(subset(data.train, 0, 64 * steps), { shuffle: true, generator, transform })
  const losses: number[] = []
  let halfTime = 0
  await trainModel(model, new Adam(model.parameters()), crossEntropy, loader, {
    async onBatchEnd({ batch, loss }) {
      losses.push(await loss())
      if (batch === steps / 2) halfTime = performance.now()
    },
  })
  const stepMilliseconds = (performance.now() - halfTime) / (steps / 2)
  const report = kernelReport()
  model.dispose()
  return { losses, path: report.path, threads: report.threads, notes: report.notes, stepMilliseconds }
}
