// Times Rowwise in a process of its own: a whole training step as the user runs it, from the data loader to Adam.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { DataLoader, type ImageDataset, loadMnist, normalize, subset } from '@rowwise/data-mnist'
import { configureKernels, type KernelOptions, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import { tensor3d, tidy } from '@tensorflow/tfjs-core'
import type { ChildTask, Timing, Workload } from '../workload'
import { measure, readTask, report } from './measure'

const task = readTask()
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
const kernels = configureKernels({ path: (task.kernels as KernelOptions['path']) ?? 'auto', threads: task.threads })
const timings: Timing[] = []
for (const workload of task.workloads) {
  timings.push(await (workload.kind === 'train' ? timeTraining(workload, task) : timePrediction(workload, task)))
}
const path = kernels.path === 'off' ? 'composed graph' : `${kernels.path}, ${kernels.threads} threads`
report({ description: `Rowwise, ${backend.name} backend, ${path}, Node ${process.versions.node}`, timings })

/** One epoch after another; a step is what lies between the ends of two batches. */
async function timeTraining(workload: Workload, { network, seconds }: ChildTask): Promise<Timing> {
  const generator = new Generator(0)
  const model = new LSTMNet({ ...network, generator })
  const optimizer = new Adam(model.parameters())
  const loader = new DataLoader(await trainingData(network, workload.batch), {
    batchSize: workload.batch,
    shuffle: true,
    generator,
    transform: normalize(0.1307, 0.3081),
    dropLast: true,
  })
  // The loop is the user's; the clock drives it one step at a time.
  const gate = stepGate()
  const training = (async () => {
    while (!gate.closed) {
      await trainModel(model, optimizer, crossEntropy, loader, {
        signal: gate.signal,
        onBatchEnd: () => gate.stepDone(),
      })
    }
  })()
  const timing = await measure(workload, seconds, () => gate.nextStep())
  gate.close()
  await training
  return timing
}

/** Lets the training loop take exactly one step at a time, by two promises that hand over to each other. */
function stepGate() {
  const controller = new AbortController()
  let open: () => void = () => {}
  let done: () => void = () => {}
  let waiting = new Promise<void>((resolve) => {
    open = resolve
  })
  let first = true
  return {
    signal: controller.signal,
    get closed() {
      return controller.signal.aborted
    },
    async stepDone(): Promise<void> {
      done()
      await waiting
      waiting = new Promise((resolve) => {
        open = resolve
      })
    },
    nextStep(): Promise<void> {
      const finished = new Promise<void>((resolve) => {
        done = resolve
      })
      if (first) first = false
      else open()
      return finished
    },
    close(): void {
      controller.abort()
      open()
    },
  }
}

async function timePrediction(workload: Workload, { network, seconds }: ChildTask): Promise<Timing> {
  const model = new LSTMNet({ ...network, generator: new Generator(0) })
  const { time, inputSize } = network
  const values = new Generator(1).uniform(new Float32Array(workload.batch * time * inputSize), -0.4, 2.8)
  const inputs = tensor3d(values, [workload.batch, time, inputSize])
  return measure(workload, seconds, () => tidy(() => model.forward(inputs).dataSync()))
}

/** Real MNIST where the network reads 28 × 28, and as many bytes of noise elsewhere. */
async function trainingData(
  { time, inputSize, numClasses }: ChildTask['network'],
  batch: number,
): Promise<ImageDataset> {
  if (time === 28 && inputSize === 28) return subset((await loadMnist()).train, 0, Math.max(6400, 4 * batch))
  const length = 4 * batch
  const noise = new Generator(2).uniform(new Float32Array(length * time * inputSize), 0, 256)
  return {
    ...{ name: 'noise', length, height: time, width: inputSize },
    images: Uint8Array.from(noise),
    labels: Uint8Array.from({ length }, (_, index) => index % numClasses),
    classNames: Array.from({ length: numClasses }, (_, index) => String(index)),
  }
}
