// Times Rowwise in a browser: the same steps as in Node, in a worker as an application would have them.
import { loadMnist } from '@rowwise/data-mnist'
import { configureKernels, describeRecurrent, kernelReport } from '@rowwise/models-rnn'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { memory, setBackend } from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { layersSteps } from '../children/layers-steps'
import { predictionStep, trainingStep } from '../children/rowwise-steps'
import { timer } from '../children/timing'
import { trainingData } from '../children/training-data'
import type { ChildTask, TimingRequest, Workload } from '../workload'

let task: ChildTask
let run = timer({
  prepare,
  tensors: () => memory().numTensors,
  busy: () => kernelReport().milliseconds,
})

/** Gets ready, and returns what computes. */
async function start(given: ChildTask): Promise<string> {
  task = given
  if (task.layers) {
    setWasmPaths('/wasm/')
    await setBackend('wasm')
    run = timer(layersSteps(layers, task))
    return task.layers.accelerated ? describeRecurrent() : `tfjs-layers ${layers.version_layers}, wasm backend`
  }
  await setBackend('cpu') // the kernels do the work
  configureKernels({ threads: task.threads })
  return describeRecurrent()
}

async function prepare({ kind, batch }: Workload): Promise<() => unknown> {
  const { network, permuted = false } = task
  if (kind === 'predict') return predictionStep(network, batch)
  return trainingStep(
    network,
    batch,
    await trainingData(network, batch, permuted, () => loadMnist({ root: '/mnist/' })),
  )
}

self.onmessage = async ({ data }: MessageEvent<{ start: ChildTask } | { request: TimingRequest }>) => {
  try {
    self.postMessage({ answer: await ('start' in data ? start(data.start) : run(data.request)) })
  } catch (error) {
    self.postMessage({ error: (error as Error).message })
  }
}
