import { fileURLToPath } from 'node:url'
import type { ChildTask, NetworkShape, Workload } from '../workload'

/** Something that can be timed, in a child process of its own. */
export interface Contestant {
  /** How rows of the table call it. */
  name: string
  isOurs: boolean
  /** The program and its arguments; the task comes last. */
  command: string[]
  environment?: Record<string, string>
  task: Omit<ChildTask, 'network' | 'permuted'>
  /** What it can do. */
  kinds: readonly Workload['kind'][]
  /** Another network than everyone's. */
  network?: NetworkShape
  /** The command that makes it available. */
  get: string
}

const BOTH = ['train', 'predict'] as const

/** Where the children's programs are: beside the bundle when built. */
export const childProgram = (name: string): string =>
  fileURLToPath(new URL(`./children/${name}-child.js`, import.meta.url))
const pythonScript = fileURLToPath(new URL('../peers/pytorch.py', import.meta.url))
const threadsOf = (threads: number): string => `${threads} thread${threads > 1 ? 's' : ''}`

/** Rowwise's fused kernels on a backend. */
export function rowwise(backend: 'wasm' | 'cpu' | 'cuda', threads: number, node = process.execPath): Contestant {
  const newer = node === process.execPath ? '' : ', newer Node'
  const name = { wasm: `Rowwise, ${threadsOf(threads)}${newer}`, cpu: 'Rowwise, no WASM', cuda: 'Rowwise, CUDA' }[
    backend
  ]
  return {
    name,
    isOurs: true,
    command: [node, childProgram('rowwise')],
    task: { threads, backend, kernels: backend === 'cpu' ? 'js' : 'auto' },
    kinds: BOTH,
    get: backend === 'cuda' ? 'npm install @tensorflow/tfjs-node-gpu' : 'npm install @rowwise/bench',
  }
}

/** Rowwise in Chromium, on a cross-origin isolated page. */
export function rowwiseInChromium(threads: number): Contestant {
  return {
    name: `Rowwise, ${threadsOf(threads)}, Chromium`,
    isOurs: true,
    command: [process.execPath, childProgram('chromium')],
    task: { threads },
    kinds: BOTH,
    get: 'apt-get install chromium, and npm install playwright-core',
  }
}

/** The same model on the plain operations of tfjs-core. */
export function composedGraph(): Contestant {
  return {
    ...rowwise('wasm', 1),
    name: 'composed tfjs graph',
    isOurs: false,
    task: { threads: 1, backend: 'wasm', kernels: 'off' },
  }
}

export function tfjsLayers(backend: 'wasm' | 'cpu'): Contestant {
  return {
    name: `tfjs-layers, ${backend}`,
    isOurs: false,
    task: { threads: 1, backend },
    command: [process.execPath, childProgram('tfjs-layers')],
    kinds: BOTH,
    get: 'npm install @tensorflow/tfjs-layers',
  }
}

/** PyTorch in a Python that has it. Its BLAS gets one thread, as its own threads are faster. */
export function pytorch(threads: number, python: string, name = 'PyTorch'): Contestant {
  return {
    name: `${name}, ${threadsOf(threads)}`,
    isOurs: false,
    task: { threads },
    command: [python, pythonScript],
    environment: { OPENBLAS_NUM_THREADS: '1' },
    kinds: BOTH,
    get: 'apt-get install python3-torch libopenblas0, or pip install torch; then --python PATH',
  }
}

/** onnxruntime-node, from the user's directory. */
export function onnxruntime(threads: number): Contestant {
  return {
    name: `onnxruntime, ${threadsOf(threads)}`,
    isOurs: false,
    task: { threads },
    command: [process.execPath, childProgram('onnxruntime')],
    kinds: ['predict'],
    get: 'npm install --ignore-scripts onnxruntime-node',
  }
}

/** jax-js, from the user's directory. */
export function jaxJs(): Contestant {
  return {
    name: 'jax-js, wasm',
    isOurs: false,
    task: { threads: 1 },
    command: [process.execPath, childProgram('jax')],
    kinds: BOTH,
    get: 'npm install @jax-js/jax',
  }
}
