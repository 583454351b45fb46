import type { OtherNetwork } from '../report/report'
import type { Subject } from '../subjects/subjects'
import { type NetworkShape, REFERENCE_NETWORK, type Workload } from '../workload'
import { measureAll, type Plan } from './measure-all'

/** Networks beside the reference network: less flattering sizes, another cell, and predictions. */
export const NETWORKS: readonly ({ name: string; network: NetworkShape } & Pick<Workload, 'batch'> &
  Partial<Workload>)[] = [
  { name: '64 with 128 hidden units', batch: 64, network: { ...REFERENCE_NETWORK, hiddenSize: 128 } },
  { name: '64 with 256 hidden units', batch: 64, network: { ...REFERENCE_NETWORK, hiddenSize: 256 } },
  { name: '64 with 512 hidden units', batch: 64, network: { ...REFERENCE_NETWORK, hiddenSize: 512 } },
  {
    name: '32 with two layers of 256, 100 steps of 40',
    batch: 32,
    network: { ...REFERENCE_NETWORK, hiddenSize: 256, numLayers: 2, time: 100, inputSize: 40 },
  },
  { name: '64 over 784 steps of 1', batch: 64, network: { ...REFERENCE_NETWORK, time: 784, inputSize: 1 } },
  { name: '64 with a GRU', batch: 64, network: { ...REFERENCE_NETWORK, cell: 'gru' } },
  {
    name: '64 in both directions, by length',
    batch: 64,
    network: { ...REFERENCE_NETWORK, bidirectional: true, lengths: true },
  },
  {
    name: '32 texts of 64 characters, two layers of 128',
    batch: 32,
    network: { time: 64, inputSize: 32, hiddenSize: 128, numLayers: 2, numClasses: 64, vocabulary: 64 },
  },
  {
    name: '1 with 256 hidden units, 100 steps of 40',
    kind: 'predict',
    batch: 1,
    network: { ...REFERENCE_NETWORK, hiddenSize: 256, time: 100, inputSize: 40 },
  },
  {
    name: '1 with 1024 hidden units, 50 steps of 256',
    kind: 'predict',
    batch: 1,
    network: { ...REFERENCE_NETWORK, hiddenSize: 1024, time: 50, inputSize: 256 },
  },
]

const SECONDS_PER_SUBJECT = 5

/** Times a step of each network on one thread and on two: ours on every Node, and every PyTorch. */
export async function measureNetworks(
  subjects: readonly Subject[],
  plan: Omit<Plan, 'workloads'>,
): Promise<OtherNetwork[]> {
  const ours = subjects.filter(({ isOurs, task }) => isOurs && task.backend === 'wasm' && task.kernels === 'auto')
  const pytorches = subjects.filter(({ library }) => library.startsWith('PyTorch '))
  const chosen = [...ours, ...pytorches].filter(({ task }) => task.threads <= 2)
  if (pytorches.length === 0) return []
  const networks: OtherNetwork[] = []
  for (const { name, kind = 'train', batch, network } of NETWORKS) {
    if (plan.signal.aborted) break
    const family = chosen.map((subject) => ({ ...subject, network }))
    const seconds = Math.min(SECONDS_PER_SUBJECT, 0.1 * plan.seconds) * family.length
    const { rows } = await measureAll(family, { ...plan, network, workloads: [{ kind, batch }], seconds })
    networks.push({ name, network, rows })
  }
  return networks
}
