import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ended, run, succeed } from '../../release/test/run'
import { environment, type Project } from './project'

/** What the smoke program writes. */
export interface Report {
  backend: string
  tried: { name: string; code: string; reason: string; fix: string }[]
  kernels: { path: string; threads: number; notes: string[] }
  losses: number[]
  correct: number
  loadsWhatItSaved: boolean
  weights: string
  resumedAt: number
  computedBy: { before: string; now: string }
  resumesBitForBit: boolean
}

/** How a program is run in a host. */
export interface HostOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Where the program writes. A new directory when absent. */
  directory?: string
  /** What the host itself prints; anything else is a fault. */
  prints?: readonly RegExp[]
}

/** What came of the smoke program: how it ended, what was printed that the host does not print itself, its report. */
export interface Outcome {
  exitCode: number | null
  output: string
  report: Report | null
}

/** Runs a command that runs the smoke program. */
export async function runSmoke(command: string, args: readonly string[], options: HostOptions): Promise<Outcome> {
  const { directory = newDirectory() } = options
  const env = { ...environment, SMOKE_DIRECTORY: directory, ...options.env }
  const ended = await run(command, [...args], { cwd: options.cwd, env })
  return outcomeOf(ended, directory, options.prints)
}

/** A place for the files of one run. */
export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'rowwise-smoke-'))
}

/** The outcome of a smoke program whose process ended. */
export function outcomeOf(
  { exitCode, stdout, stderr }: Ended,
  directory: string,
  prints: readonly RegExp[] = [],
): Outcome {
  const output = prints.reduce((text, pattern) => text.replace(pattern, ''), stderr + stdout)
  const file = join(directory, 'report.json')
  return { exitCode, output: output.trim(), report: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null }
}

/** The environment of a program that takes the best kernels by itself. */
export const BEST_KERNELS = { ROWWISE_KERNELS: 'auto' }

/** What comes of it in plain Node, which every host is compared with. */
export async function inNode(
  project: Project,
  env: NodeJS.ProcessEnv = {},
): Promise<{ outcome: Outcome; report: Report }> {
  const outcome = await runSmoke(process.execPath, ['main.mjs'], { cwd: project.directory, env })
  if (outcome.report === null) throw new Error(`the smoke program ended with ${outcome.exitCode}: ${outcome.output}`)
  return { outcome, report: outcome.report }
}

/** The program of another Node, from the npm registry. */
export async function nodeOf(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const where = ['-y', '-p', `node@${major}`, 'node', '-p', 'process.execPath']
  return (await succeed('npx', where, { cwd: tmpdir(), env: environment })).stdout.trim()
}

/** Names and codes of the backends that were passed over. */
export function codes(report: Report | null): string[] | undefined {
  return report?.tried.map(({ name, code }) => `${name} ${code}`)
}

/** What is expected where the cpu backend runs instead of WASM; `tried` is what a report has. */
export function onCpu(expected: Report, tried: Report['tried'] | undefined): Partial<Report> {
  const now = expected.computedBy.now.replace(/^wasm/, 'cpu')
  return { ...expected, backend: 'cpu', tried, computedBy: { before: now, now } }
}
