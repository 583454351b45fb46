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
  /** Called once it runs. */
  onStart?: (child: ChildProcess) => void
}

/** Runs `rowwise-bench` to its end. */
export function runBench(args: string[], { where, path = '', onStart = () => {} }: RunOptions): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], { cwd: where, env: { ...process.env, PATH: path } })
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
