import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The built program. */
export const program = fileURLToPath(new URL('../dist/rowwise-bench.js', import.meta.url))

/** A report of a short run with all peers. */
export const storedReport = fileURLToPath(new URL('fixtures/report.json', import.meta.url))

export interface Run {
  exitCode: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** The working directory, where peers are looked for. */
  where: string
  /** Where `python3` is looked for; nowhere unless given. */
  path?: string
  /** The kernels of ours; WebAssembly unless given, which is there on every machine. */
  kernels?: string
  /** Called once it runs. */
  onStart?: (child: ChildProcess) => void
}

/** Runs `rowwise-bench` to its end. */
export function runBench(
  args: string[],
  { where, path = '', kernels = 'simd', onStart = () => {} }: RunOptions,
): Promise<Run> {
  const env = { ...process.env, PATH: path, ROWWISE_KERNELS: kernels }
  const child = spawn(process.execPath, [program, ...args], { cwd: where, env })
  const run: Run = { exitCode: null, stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      run[stream] += chunk
    })
  }
  onStart(child)
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ ...run, exitCode }))
  })
}
