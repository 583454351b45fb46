import { fileURLToPath } from 'node:url'
import type { ChildTask, NetworkShape, Workload } from '../workload'
import type { Host } from './hosts'
import { pythonScript } from './python-script'

/** Something that can be timed, in its own child process. */
export interface Subject {
  /** The name in every table: `Rowwise, Node 26.10, 2 threads`. */
  name: string
  /** `Rowwise`, or a peer whose rows belong together: `PyTorch 2.15 (oneDNN)`. */
  library: string
  /** What runs it, where there are several: `Node 26.10`, `Chromium 156`; else empty. */
  runtime: string
  isOurs: boolean
  /** The program and its arguments; the task comes last. */
  command: string[]
  environment?: Record<string, string>
  task: Omit<ChildTask, 'network' | 'permuted'>
  /** What it can do. */
  kinds: readonly Workload['kind'][]
  /** Another network than that of the others. */
  network?: NetworkShape
  /** The command that makes it available. */
  get: string
}

const BOTH = ['train', 'predict'] as const

/** Where a child's program is: beside the bundle when built. */
export const childProgram = (name: string): string =>
  fileURLToPath(new URL(`./children/${name}-child.js`, import.meta.url))

const inThreads = (threads: number): string => `${threads} thread${threads > 1 ? 's' : ''}`

/** The name of one of ours, by which its rows are found again. */
export const ourName = (runtime: string, threads: number): string => `Rowwise, ${runtime}, ${inThreads(threads)}`

/** The name of ours without WebAssembly. */
export const ourNameWithoutWasm = (runtime: string): string => `Rowwise, ${runtime}, no WASM`

/** The name of ours as WebAssembly, where native code runs by itself. */
export const ourNameInWasm = (runtime: string, threads: number): string =>
  `Rowwise, ${runtime}, WASM, ${inThreads(threads)}`

/** Rowwise's kernels as WebAssembly, beside native code. */
export const rowwiseInWasm = (threads: number, node: Host): Subject => {
  const subject = rowwise('wasm', threads, node)
  return { ...subject, name: ourNameInWasm(node.name, threads), task: { ...subject.task, kernels: 'wasm' } }
}

/** Rowwise's fused kernels on a backend. */
export function rowwise(backend: 'wasm' | 'cpu' | 'cuda', threads: number, node: Host): Subject {
  const runtime = node.name
  const names = {
    wasm: ourName(runtime, threads),
    cpu: ourNameWithoutWasm(runtime),
    cuda: `Rowwise, ${runtime}, CUDA`,
  }
  return {
    name: names[backend],
    library: 'Rowwise',
    runtime,
    isOurs: true,
    command: [node.path, childProgram('rowwise')],
    task: { threads, backend, kernels: backend === 'cpu' ? 'js' : 'auto' },
    kinds: BOTH,
    get: backend === 'cuda' ? 'npm install @tensorflow/tfjs-node-gpu' : 'npm install @rowwise/bench',
  }
}

/** Rowwise in Chromium, on a cross-origin isolated page. */
export function rowwiseInChromium(threads: number, { name: runtime }: Host): Subject {
  return {
    name: ourName(runtime, threads),
    library: 'Rowwise',
    runtime,
    isOurs: true,
    command: [process.execPath, childProgram('chromium')],
    task: { threads },
    kinds: BOTH,
    get: 'apt-get install chromium, and npm install playwright-core',
  }
}

/** A peer that runs on this process's Node. */
function peer(name: string, child: string, options: Partial<Subject> & Pick<Subject, 'get' | 'task'>): Subject {
  return {
    name,
    library: name.split(',')[0],
    runtime: '',
    isOurs: false,
    command: [process.execPath, childProgram(child)],
    kinds: BOTH,
    ...options,
  }
}

/** The same model on the plain operations of tfjs-core. */
export const composedGraph = (): Subject =>
  peer('composed tfjs graph', 'rowwise', {
    task: { threads: 1, backend: 'wasm', kernels: 'off' },
    get: 'npm install @rowwise/bench',
  })

/** TensorFlow.js's own layers. */
export const tfjsLayers = (backend: 'wasm' | 'cpu'): Subject =>
  peer(`tfjs-layers, ${backend}`, 'tfjs-layers', {
    task: { threads: 1, backend },
    get: 'npm install @tensorflow/tfjs-layers',
  })

/** TensorFlow.js's own layers and loop, their LSTM through Rowwise's kernels. */
export const acceleratedLayers = (threads: number): Subject =>
  peer(`tf.layers, accelerated, ${inThreads(threads)}`, 'tfjs-layers', {
    library: 'tf.layers, accelerated',
    task: { threads, backend: 'wasm', layers: { accelerated: true, fit: false } },
    get: 'npm install @rowwise/tfjs-layers @tensorflow/tfjs-layers',
  })

/** onnxruntime-node, from the user's directory. */
export const onnxruntime = (threads: number): Subject =>
  peer(`onnxruntime, ${inThreads(threads)}`, 'onnxruntime', {
    task: { threads },
    kinds: ['predict'],
    get: 'npm install --ignore-scripts onnxruntime-node',
  })

/** jax-js, from the user's directory. */
export const jaxJs = (): Subject =>
  peer('jax-js, wasm', 'jax', { task: { threads: 1 }, get: 'npm install @jax-js/jax' })

/** brain.js, from the user's directory. */
export const brainJs = (): Subject =>
  peer('brain.js', 'brain', { task: { threads: 1 }, get: 'npm install --ignore-scripts brain.js' })

/** PyTorch in a Python that has it. Its BLAS gets one thread, because PyTorch's own threads are faster. */
export const pytorch = (threads: number, { name, path }: Host): Subject =>
  peer(`${name}, ${inThreads(threads)}`, '', {
    command: [path, pythonScript('pytorch_steps')],
    environment: { OPENBLAS_NUM_THREADS: '1' },
    task: { threads },
    get: GET_PYTORCH,
  })

/** How to get a PyTorch. */
export const GET_PYTORCH = 'apt-get install python3-torch libopenblas0, or pip install torch; then --python PATH'
