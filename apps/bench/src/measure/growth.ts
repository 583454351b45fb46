import type { Growth } from '../report/report'
import type { Subject } from '../subjects/subjects'
import type { NetworkShape, Workload } from '../workload'
import { measureAll, type Plan } from './measure-all'
import { exponentOf, median } from './statistics'

/** What can be made larger, with the sizes that are tried. */
export const GROWTHS: Readonly<Record<string, readonly number[]>> = {
  T: [14, 28, 56, 112, 224],
  N: [64, 128, 256, 512, 1024],
  H: [32, 64, 128, 256],
  layers: [1, 2, 4],
}

/** Seconds for a size, but at most this share of the measuring time. */
const SECONDS_PER_SIZE = 3
const SHARE_PER_SIZE = 0.1

/** Times a training step at each size, in ours with the most threads on the newest Node. */
export async function measureGrowth(
  names: readonly string[],
  subjects: readonly Subject[],
  plan: Omit<Plan, 'workloads'>,
): Promise<Growth[]> {
  const fastest = fastestOf(subjects)
  const growths: Growth[] = []
  for (const name of names) {
    const points = await measureSizes(name, fastest, plan)
    if (points.length > 1) growths.push({ of: name, subject: fastest.name, points, exponent: exponentOf(points) })
  }
  return growths
}

/** Ours with the most threads, on the newest Node. */
function fastestOf(subjects: readonly Subject[]): Subject {
  const version = ({ runtime }: Subject): number => Number(/^Node (\d+)/.exec(runtime)?.[1] ?? 0)
  const ours = subjects.filter(({ isOurs, task }) => isOurs && task.backend === 'wasm')
  return ours.sort((a, b) => b.task.threads - a.task.threads || version(b) - version(a))[0] ?? subjects[0]
}

async function measureSizes(name: string, subject: Subject, plan: Omit<Plan, 'workloads'>): Promise<Growth['points']> {
  const sizes = GROWTHS[name]
  const seconds = Math.min(SECONDS_PER_SIZE, SHARE_PER_SIZE * plan.seconds) * sizes.length
  if (name === 'N') {
    const workloads = sizes.map((batch): Workload => ({ kind: 'train', batch }))
    const { rows } = await measureAll([subject], { ...plan, workloads, seconds })
    return rows.map(({ batch, rounds }) => ({ size: batch, ms: median(rounds) }))
  }
  const fields = { T: 'time', H: 'hiddenSize', layers: 'numLayers' } as const satisfies Record<
    string,
    keyof NetworkShape
  >
  const field = fields[name as keyof typeof fields]
  const family = sizes.map((size) => ({
    ...subject,
    name: String(size),
    network: { ...plan.network, [field]: size },
  }))
  const { rows } = await measureAll(family, { ...plan, workloads: [{ kind: 'train', batch: 64 }], seconds })
  return rows.map(({ subject: size, rounds }) => ({ size: Number(size), ms: median(rounds) }))
}
