// Times Rowwise.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { loadMnist } from '@rowwise/data-mnist'
import { configureKernels, describeLSTM, type KernelOptions, kernelReport } from '@rowwise/models-rnn'
import { memory } from '@tensorflow/tfjs-core'
import { predictionStep, trainingStep } from './rowwise-steps'
import { readTask, serve } from './serve'
import { trainingData } from './training-data'

const task = readTask()
const { network, permuted = false } = task
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
const { path } = configureKernels({ path: (task.kernels as KernelOptions['path']) ?? 'auto', threads: task.threads })

await serve({
  description: `Rowwise, ${backend.name} backend, ${describeLSTM()}, Node ${process.versions.node}`,
  tensors: () => memory().numTensors,
  ...(path.includes('simd') && { busy: () => kernelReport().milliseconds }),
  async prepare({ kind, batch }) {
    if (kind === 'predict') return predictionStep(network, batch)
    return trainingStep(network, batch, await trainingData(network, batch, permuted, loadMnist))
  },
})
