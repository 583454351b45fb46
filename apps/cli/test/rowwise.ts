import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The command as it is built. */
export const program = new URL('../dist/rowwise.js', import.meta.url).pathname

/** A directory of its own. */
export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'rowwise-cli-'))

/** Where nothing was downloaded; no test may find what its user has. */
const noCache = join(temporaryDirectory(), 'cache')

/** What a run of the command came to. */
export interface Run {
  exitCode: number | null
  /** What killed it. */
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs `rowwise` in a directory, with no terminal; `onOutput` sees the output as it comes. */
export function rowwise(
  args: string[],
  {
    cwd = temporaryDirectory(),
    env = {} as Record<string, string>,
    killAfter = undefined as number | undefined,
    onStart = (_child: ChildProcess) => {},
    onOutput = (_text: string, _child: ChildProcess) => {},
  } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, ROWWISE_BACKEND: '', ROWWISE_CACHE: noCache, ...env },
  })
  const run: Run = { exitCode: null, signal: null, stdout: '', stderr: '' }
  onStart(child)
  // In milliseconds; a signal and no more, as an out-of-memory killer or a power cut gives no warning.
  const killer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  child.stdout.on('data', (chunk) => {
    run.stdout += chunk
    onOutput(run.stdout, child)
  })
  child.stderr.on('data', (chunk) => {
    run.stderr += chunk
  })
  return new Promise((resolve) => {
    child.on('close', (exitCode, signal) => {
      clearTimeout(killer)
      resolve({ ...run, exitCode, signal })
    })
  })
}

/** Runs a shell script in a directory of its own. */
export function shell(script: string): Promise<Pick<Run, 'exitCode' | 'stdout' | 'stderr'>> {
  return new Promise((resolve) => {
    const options = { cwd: temporaryDirectory(), env: { ...process.env, ROWWISE_BACKEND: '', ROWWISE_CACHE: noCache } }
    execFile('sh', ['-c', script], options, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}
