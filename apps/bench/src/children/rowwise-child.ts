// Times Rowwise.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { loadMnist } from '@rowwise/data-mnist'
import { configureKernels, describeRecurrent, type KernelOptions, kernelReport } from '@rowwise/models-rnn'
import { memory } from '@tensorflow/tfjs-core'
import { predictionStep, trainingStep } from './rowwise-steps'
import { readTask, serve } from './serve'
import { trainingData } from './training-data'
import { loading } from './watched-loader'

const task = readTask()
const { network, permuted = false } = task
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
const { threads } = task
const { path } = task.kernels === 'wasm' ? inWasm() : configureKernels({ path: chosenPath(), threads })

/** What the environment says, for 'auto'. */
function chosenPath(): KernelOptions['path'] {
  return task.kernels === 'auto' ? undefined : (task.kernels as KernelOptions['path'])
}

/** The best WebAssembly: Node 20 has no relaxed SIMD. */
function inWasm(): { path: string } {
  try {
    return configureKernels({ path: 'relaxed-simd', threads })
  } catch {
    return configureKernels({ path: 'simd', threads })
  }
}

await serve({
  description: `Rowwise, ${backend.name} backend, ${describeRecurrent()}, Node ${process.versions.node}`,
  tensors: () => memory().numTensors,
  loading: () => loading.milliseconds,
  ...(/simd|native/.test(path) && { busy: () => kernelReport().milliseconds }),
  async prepare({ kind, batch }) {
    if (kind === 'predict') return predictionStep(network, batch)
    return trainingStep(network, batch, await trainingData(network, batch, permuted, loadMnist))
  },
})
