// Trains the reference network for some steps, and prints the loss of each.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { DataLoader, loadMnist, normalize, subset } from '@rowwise/data-mnist'
import { configureKernels, type KernelOptions, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import { readTask } from './serve'

const STEPS = 300
const BATCH = 64

const task = readTask()
await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
configureKernels({ path: (task.kernels as KernelOptions['path']) ?? 'auto', threads: task.threads })
const generator = new Generator(0)
const model = new LSTMNet({ generator })
const images = subset((await loadMnist()).train, 0, STEPS * BATCH)
const loader = new DataLoader(images, { shuffle: true, generator, transform: normalize(0.1307, 0.3081) })
const losses: number[] = []
await trainModel(model, new Adam(model.parameters()), crossEntropy, loader, {
  onBatchEnd: async ({ loss }) => void losses.push(await loss()),
})
process.stdout.write(JSON.stringify(losses))
process.exit(0)
