import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SelectedBackend } from '@rowwise/backend-select'
import {
  type Contestant,
  childProgram,
  composedGraph,
  jaxJs,
  onnxruntime,
  pytorch,
  rowwise,
  rowwiseInChromium,
  tfjsLayers,
} from '../contestants/contestants'
import type { Absent } from './report'

/** Who is to take part. */
export interface Entrants {
  backend: ('cuda' | 'wasm' | 'cpu')[]
  threads: number[]
  peers?: boolean
  python: string
  newerPython?: string
  newerNode?: string
  chromium?: boolean
}

/** Everyone who may run here, in the order of their turns, and the backends that do not, with the reason. */
export async function entrantsOf(flags: Entrants): Promise<{ contestants: Contestant[]; absent: Absent[] }> {
  const { backend: backends, threads, peers = false, python, newerPython, newerNode, chromium = false } = flags
  const { stdout } = await promisify(execFile)(process.execPath, [childProgram('probe')])
  const found = JSON.parse(stdout) as SelectedBackend
  const rejected = found.tried.filter(({ name }) => backends.includes(name))
  const runs = (name: SelectedBackend['name']): boolean =>
    backends.includes(name) && !rejected.some((rejection) => rejection.name === name)
  const ours = [
    ...(runs('cuda') ? [rowwise('cuda', 1)] : []),
    ...(runs('wasm') ? threads.map((count) => rowwise('wasm', count)) : []),
    ...(newerNode ? threads.map((count) => rowwise('wasm', count, newerNode)) : []),
    ...(chromium ? threads.map((count) => rowwiseInChromium(count)) : []),
    ...(runs('cpu') ? [rowwise('cpu', 1)] : []),
  ]
  const others = [
    ...threads.map((count) => pytorch(count, python)),
    ...(newerPython ? threads.map((count) => pytorch(count, newerPython, 'newer PyTorch')) : []),
    ...threads.map((count) => onnxruntime(count)),
    jaxJs(),
    tfjsLayers('wasm'),
    composedGraph(),
    tfjsLayers('cpu'),
  ]
  return {
    contestants: peers ? interleave(ours, others) : ours,
    absent: rejected.map(({ name, reason, fix }) => ({
      contestant: `backend ${name}`,
      reason: `${reason} Mend: ${fix}`,
    })),
  }
}

/** Neighbours in a round are measured at the same time of day, so each of ours gets its likely rival beside it. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, index) => [a[index], b[index]].filter((item) => item !== undefined)).flat()
}
