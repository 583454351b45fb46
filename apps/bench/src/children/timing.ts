import { median } from '../measure/statistics'
import type { StepTimes, TimingRequest, Workload } from '../workload'

/** Steps, at least, before the clock counts: compilers and caches settle. */
const WARM_UP_STEPS = 5
const WARM_UP_MILLISECONDS = 300
const SAMPLES = 100

/** What a subject provides for timing, in any runtime. */
export interface Timed {
  /** Makes a workload ready; the step it returns must wait for its result. */
  prepare(workload: Workload): (() => unknown) | Promise<() => unknown>
  /** Training steps that one call takes; its time is divided by them. @default 1 */
  stepsPerCall?: number
  /** How many tensors exist. */
  tensors?(): number
  /** Milliseconds spent in the kernels so far. */
  busy?(): number
  /** Milliseconds that training steps waited for their batches so far; 0 without a loader. */
  loading?(): number
}

/** Answers timing requests; the first run of a workload warms up before the clock counts. */
export function timer({
  prepare,
  tensors,
  busy,
  loading,
  stepsPerCall = 1,
}: Timed): (request: TimingRequest) => Promise<StepTimes> {
  const steps = new Map<string, () => unknown>()
  return async ({ workload, seconds }) => {
    const key = `${workload.kind} ${workload.batch}`
    const isNew = !steps.has(key)
    const step = steps.get(key) ?? (await prepare(workload))
    steps.set(key, step)
    const first = isNew ? await warmUp(step) : undefined
    const tensorsBefore = tensors?.() ?? 0
    const { times: calls, outside, loader } = await time(step, 1000 * seconds, busy, loading)
    const hasLoader = (loading?.() ?? 0) > 0
    const times = calls.map((call) => call / (workload.kind === 'train' ? stepsPerCall : 1))
    return {
      ...summarize(times),
      ...(first !== undefined && { first }),
      leaked: (tensors?.() ?? 0) - tensorsBefore,
      ...(busy && { outside: median(outside) }),
      ...(hasLoader && workload.kind === 'train' && { loader: median(loader) }),
    }
  }
}

async function warmUp(step: () => unknown): Promise<number> {
  const [first] = (await time(step, 0)).times
  const end = performance.now() + WARM_UP_MILLISECONDS
  for (let count = 1; count < WARM_UP_STEPS && first * count < 10 * WARM_UP_MILLISECONDS; count++) await step()
  while (performance.now() < end) await step()
  return first
}

/** Times steps, the share of each outside of what `busy` counts, and that of what `loading` counts. */
async function time(
  step: () => unknown,
  milliseconds: number,
  busy?: () => number,
  loading?: () => number,
): Promise<{ times: number[]; outside: number[]; loader: number[] }> {
  const times: number[] = []
  const outside: number[] = []
  const loader: number[] = []
  const end = performance.now() + milliseconds
  do {
    const busyBefore = busy?.() ?? 0
    const loadingBefore = loading?.() ?? 0
    const began = performance.now()
    await step()
    const took = performance.now() - began
    times.push(took)
    if (busy) outside.push(1 - (busy() - busyBefore) / took)
    if (loading) loader.push((loading() - loadingBefore) / took)
  } while (performance.now() < end)
  return { times, outside, loader }
}

function summarize(times: number[]): Omit<StepTimes, 'leaked' | 'first' | 'outside' | 'loader'> {
  const sample = times.filter((_, index) => index % Math.ceil(times.length / SAMPLES) === 0)
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  const middle = at(0.5)
  const deviations = sorted.map((value) => Math.abs(value - middle)).sort((a, b) => a - b)
  const mad = deviations[deviations.length >> 1]
  return { median: middle, p75: at(0.75), p99: at(0.99), mad, steps: times.length, sample }
}
