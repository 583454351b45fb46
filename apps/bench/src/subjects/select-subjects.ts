import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SelectedBackend } from '@rowwise/backend-select'
import { UsageError } from '../exit'
import type { Absent } from '../report/report'
import { findChromium, findNodes, findPyTorch, findPyTorches, type Host, type PyTorch } from './hosts'
import {
  acceleratedLayers,
  brainJs,
  childProgram,
  composedGraph,
  GET_PYTORCH,
  jaxJs,
  onnxruntime,
  pytorch,
  rowwise,
  rowwiseInChromium,
  rowwiseInWasm,
  type Subject,
  tfjsLayers,
} from './subjects'

/** The flags that say what is measured. */
export interface SubjectFlags {
  backend: ('cuda' | 'wasm' | 'cpu')[]
  threads: number[]
  peers?: boolean
  python: string[]
  node: string[]
  chromium?: boolean
  /** Epochs of the whole program. */
  program: number
}

/** The programs that subjects run in. */
export interface Hosts {
  /** This process's first. */
  nodes: Host[]
  pytorches: PyTorch[]
  chromium: Host | null
}

/** What is measured, in the order of a round, and what is not. */
export interface Selection extends Hosts {
  subjects: Subject[]
  absent: Absent[]
}

/**
 * Looks for everything that the flags ask for.
 *
 * @throws UsageError when a path is wrong, or nothing would be left to measure
 */
export async function selectSubjects(flags: SubjectFlags): Promise<Selection> {
  const { hosts, absent } = await findHosts(flags)
  const { backend: backends, threads, peers = false } = flags
  const { nodes, pytorches, chromium } = hosts
  const { stdout } = await promisify(execFile)(process.execPath, [childProgram('probe')])
  const { isNative, ...found } = JSON.parse(stdout) as SelectedBackend & { isNative: boolean }
  const rejected = found.tried.filter(({ name }) => backends.includes(name))
  const runs = (name: SelectedBackend['name']): boolean =>
    backends.includes(name) && !rejected.some((rejection) => rejection.name === name)
  const ours = [
    ...(runs('cuda') ? [rowwise('cuda', 1, nodes[0])] : []),
    ...(runs('wasm') ? nodes.flatMap((node) => threads.map((count) => rowwise('wasm', count, node))) : []),
    ...(runs('wasm') && isNative ? nodes.flatMap((node) => threads.map((count) => rowwiseInWasm(count, node))) : []),
    ...(chromium ? threads.map((count) => rowwiseInChromium(count, chromium)) : []),
    ...(runs('cpu') ? [rowwise('cpu', 1, nodes[0])] : []),
  ]
  const others = [
    ...pytorches.flatMap((host) => threads.map((count) => pytorch(count, host))),
    ...threads.map((count) => onnxruntime(count)),
    jaxJs(),
    brainJs(),
    tfjsLayers('wasm'),
    ...threads.map((count) => acceleratedLayers(count)),
    composedGraph(),
    tfjsLayers('cpu'),
  ]
  const subjects = peers ? interleave(ours, others) : ours
  if (subjects.length === 0) {
    const reasons = rejected.map(({ reason, fix }) => `${reason} Fix: ${fix}`).join(' ')
    throw new UsageError(`--backend ${backends.join(',')}: nothing to measure. ${reasons}`)
  }
  const absentBackends = rejected.map(({ name, reason, fix }) => ({
    subject: `backend ${name}`,
    reason: `${reason} Fix: ${fix}`,
  }))
  return { ...hosts, subjects, absent: [...absentBackends, ...absent] }
}

async function findHosts(flags: SubjectFlags): Promise<{ hosts: Hosts; absent: Absent[] }> {
  const { peers = false, program } = flags
  if (flags.python.length > 0 && !peers && program === 0) {
    throw new UsageError('--python is used with --peers or --program; add one of them')
  }
  if (flags.node.length > 0 && !flags.backend.includes('wasm')) {
    throw new UsageError('--node is used with the wasm backend; add it to --backend')
  }
  const nodes = await findNodes(flags.node)
  const chromium = flags.chromium ? await findChromium() : null
  if (flags.python.length > 0) {
    return { hosts: { nodes, chromium, pytorches: await findPyTorches(flags.python) }, absent: [] }
  }
  if (!peers && program === 0) return { hosts: { nodes, chromium, pytorches: [] }, absent: [] }
  try {
    return { hosts: { nodes, chromium, pytorches: [await findPyTorch('python3')] }, absent: [] }
  } catch (error) {
    const reason = `python3: ${(error as Error).message}; get it with: ${GET_PYTORCH}`
    return { hosts: { nodes, chromium, pytorches: [] }, absent: [{ subject: 'PyTorch', reason }] }
  }
}

/** Neighbours in a round are measured at about the same time, so each of ours gets a likely rival beside it. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, index) => [a[index], b[index]].filter((item) => item !== undefined)).flat()
}
