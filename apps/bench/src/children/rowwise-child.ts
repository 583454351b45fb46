// Times Rowwise in a process of its own: a whole training step as the user runs it, from the data loader to Adam.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { DataLoader, normalize } from '@rowwise/data-mnist'
import { configureKernels, describeLSTM, type KernelOptions, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import { memory, tensor3d, tidy } from '@tensorflow/tfjs-core'
import type { Workload } from '../workload'
import { readTask, serve } from './serve'
import { StepGate } from './step-gate'
import { trainingData } from './training-data'

const task = readTask()
const { network, permuted = false } = task
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
configureKernels({ path: (task.kernels as KernelOptions['path']) ?? 'auto', threads: task.threads })

await serve({
  description: `Rowwise, ${backend.name} backend, ${describeLSTM()}, Node ${process.versions.node}`,
  tensors: () => memory().numTensors,
  prepare: ({ kind, batch }: Workload) => (kind === 'train' ? prepareTraining(batch) : preparePrediction(batch)),
})

/** One epoch after another; a step is what lies between the ends of two batches. */
async function prepareTraining(batchSize: number): Promise<() => Promise<void>> {
  const generator = new Generator(0)
  const model = new LSTMNet({ ...network, generator })
  const optimizer = new Adam(model.parameters())
  const dataset = await trainingData(network, batchSize, permuted)
  const transform = normalize(0.1307, 0.3081)
  const loader = new DataLoader(dataset, { batchSize, shuffle: true, generator, transform, dropLast: true })
  // The loop is the user's; the clock drives it one step at a time.
  const gate = new StepGate()
  const epochs = async (): Promise<void> => {
    for (;;) await trainModel(model, optimizer, crossEntropy, loader, { onBatchEnd: () => gate.stepDone() })
  }
  epochs().catch((error) => gate.fail(error))
  return () => gate.nextStep()
}

async function preparePrediction(batch: number): Promise<() => unknown> {
  const model = new LSTMNet({ ...network, generator: new Generator(0) })
  const { time, inputSize } = network
  const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
  const inputs = tensor3d(values, [batch, time, inputSize])
  return () => tidy(() => model.forward(inputs).dataSync())
}
