import type { Contestant } from '../contestants/contestants'
import type { NetworkShape, Workload } from '../workload'
import { measureAll, type Plan } from './measure-all'
import type { Growth } from './report'
import { exponentOf, median } from './statistics'

/** What can be made larger, with the sizes that are tried. */
export const GROWTHS: Readonly<Record<string, readonly number[]>> = {
  T: [14, 28, 56, 112, 224],
  N: [64, 128, 256, 512, 1024],
  H: [32, 64, 128, 256],
  layers: [1, 2, 4],
}

/** Seconds for a size, as long as they are no more than this share of all that is measured besides. */
const SECONDS_PER_SIZE = 3
const SHARE_PER_SIZE = 0.1

/** Times a training step of our fastest at each size. */
export async function measureGrowth(
  names: readonly string[],
  contestants: readonly Contestant[],
  plan: Omit<Plan, 'workloads'>,
): Promise<Growth[]> {
  const ours = contestants.filter(({ isOurs, task }) => isOurs && task.backend === 'wasm')
  const fastest = ours.sort((a, b) => b.task.threads - a.task.threads)[0] ?? contestants[0]
  if (!fastest) return []
  const growths: Growth[] = []
  for (const name of names) {
    const points = await measureSizes(name, fastest, plan)
    if (points.length > 1) growths.push({ of: name, contestant: fastest.name, points, exponent: exponentOf(points) })
  }
  return growths
}

async function measureSizes(
  name: string,
  contestant: Contestant,
  plan: Omit<Plan, 'workloads'>,
): Promise<Growth['points']> {
  const sizes = GROWTHS[name]
  const seconds = Math.min(SECONDS_PER_SIZE, SHARE_PER_SIZE * plan.seconds) * sizes.length
  if (name === 'N') {
    const workloads = sizes.map((batch): Workload => ({ kind: 'train', batch }))
    const { rows } = await measureAll([contestant], { ...plan, workloads, seconds })
    return rows.map(({ batch, rounds }) => ({ size: batch, ms: median(rounds) }))
  }
  const fields = { T: 'time', H: 'hiddenSize', layers: 'numLayers' } as const satisfies Record<
    string,
    keyof NetworkShape
  >
  const field = fields[name as keyof typeof fields]
  const family = sizes.map((size) => ({
    ...contestant,
    name: String(size),
    network: { ...plan.network, [field]: size },
  }))
  const { rows } = await measureAll(family, { ...plan, workloads: [{ kind: 'train', batch: 64 }], seconds })
  return rows.map(({ contestant, rounds }) => ({ size: Number(contestant), ms: median(rounds) }))
}
