import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ChildResult, ChildTask } from '../workload'

/** Something that can be timed, in child processes of its own. */
export interface Subject {
  /** How rows of the table call it. */
  name: string
  /** The program and its arguments; the task comes last. */
  command: string[]
  environment?: Record<string, string>
  /** What the task says beyond the workloads. */
  task: Pick<ChildTask, 'threads' | 'backend' | 'kernels'>
  /** The command that makes it available. */
  get: string
}

/** A subject that could not be timed, and why. */
export interface Failure {
  error: string
}

/** A child that computes for longer is taken for hanging. */
const TIME_LIMIT_MILLISECONDS = 300_000

/** Where the subjects' programs are: beside the bundle when built. */
const child = (name: string): string => fileURLToPath(new URL(`./subjects/${name}-child.js`, import.meta.url))
const pythonScript = fileURLToPath(new URL('../peers/pytorch.py', import.meta.url))

/** Rowwise on some kernel path. */
export function rowwise(name: string, options: Subject['task'] & { node?: string; flags?: string[] }): Subject {
  const { node = process.execPath, flags = [], ...task } = options
  return { name, task, command: [node, ...flags, child('rowwise')], get: 'npm install @rowwise/bench' }
}

/** tfjs-layers on a backend. */
export function tfjsLayers(backend: 'wasm' | 'cpu'): Subject {
  const command = [process.execPath, child('tfjs-layers')]
  return {
    name: `tfjs-layers, ${backend}`,
    task: { threads: 1, backend },
    command,
    get: 'npm install @tensorflow/tfjs-layers',
  }
}

/** PyTorch in a Python that has it. Its BLAS gets one thread, as its own threads are faster. */
export function pytorch(threads: number, python: string): Subject {
  return {
    name: `PyTorch, ${threads} thread${threads > 1 ? 's' : ''}`,
    task: { threads },
    command: [python, pythonScript],
    environment: { OPENBLAS_NUM_THREADS: '1' },
    get: 'apt-get install python3-torch libopenblas0, or pip install torch; then --python PATH',
  }
}

/** onnxruntime-node, from the user's directory. */
export function onnxruntime(threads: number): Subject {
  return {
    name: `onnxruntime, ${threads} thread${threads > 1 ? 's' : ''}`,
    task: { threads },
    command: [process.execPath, child('onnxruntime')],
    get: 'npm install onnxruntime-node',
  }
}

/** Runs a subject once. Crashes, hangs and missing programs become a failure with a reason. */
export function runSubject(subject: Subject, task: Omit<ChildTask, 'threads'>): Promise<ChildResult | Failure> {
  const [program, ...args] = subject.command
  const json = JSON.stringify({ ...task, ...subject.task } satisfies ChildTask)
  const environment = { ...process.env, ...subject.environment }
  const running = spawn(program, [...args, json], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  running.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  running.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => running.kill('SIGKILL'), TIME_LIMIT_MILLISECONDS)
    const finish = (result: ChildResult | Failure): void => {
      clearTimeout(timer)
      resolve(result)
    }
    running.on('error', ({ message }) => finish({ error: `${message}; get it with: ${subject.get}` }))
    running.on('close', (code, signal) => {
      const last = stdout.trim().split('\n').at(-1) ?? ''
      if (code === 0 && last.startsWith('{')) finish(JSON.parse(last) as ChildResult)
      else finish({ error: `${reasonIn(stderr) ?? signal ?? `exit code ${code}`}; get it with: ${subject.get}` })
    })
  })
}

/** The line of a stack trace that says what happened. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => /^(\w*Error|\w+: )/.test(line.trim()))?.trim() ?? lines.at(-1)?.trim()
}
