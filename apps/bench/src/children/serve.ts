import { createInterface } from 'node:readline'
import type { ChildTask, Farewell, Slice, Turn, Workload } from '../workload'

/** Steps, at least, before the clock counts: compilers and caches settle. */
const WARM_UP_STEPS = 5
const WARM_UP_MILLISECONDS = 300
const SAMPLES = 100

/** What a child process can time. */
export interface Served {
  /** What runs, with its version. */
  description: string
  /** Makes a workload ready; the step it hands back must wait for its result. */
  prepare(workload: Workload): Promise<() => unknown>
  /** Tensors that are alive. */
  tensors?(): number
}

/** The task that the benchmark gave this process. */
export function readTask(): ChildTask {
  return JSON.parse(process.argv.at(-1) ?? '{}') as ChildTask
}

/** Takes turns from standard input, one a line, and answers on standard output, until it is closed. */
export async function serve({ description, prepare, tensors = () => 0 }: Served): Promise<void> {
  process.on('SIGINT', () => {}) // the benchmark decides when to end
  const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
  answer({ description })
  const steps = new Map<string, () => unknown>()
  for await (const line of createInterface({ input: process.stdin })) {
    const { workload, seconds } = JSON.parse(line) as Turn
    const key = `${workload.kind} ${workload.batch}`
    try {
      const isNew = !steps.has(key)
      const step = steps.get(key) ?? (await prepare(workload))
      steps.set(key, step)
      const first = isNew ? await warmUp(step) : undefined
      const before = tensors()
      const times = await time(step, 1000 * seconds)
      answer({ ...summarize(times), first, leaked: tensors() - before } satisfies Slice)
    } catch (error) {
      answer({ error: (error as Error).message.split('\n')[0] })
    }
  }
  answer({ peakMemory: process.resourceUsage().maxRSS / 1024 } satisfies Farewell)
  process.exit(0)
}

async function warmUp(step: () => unknown): Promise<number> {
  const [first] = await time(step, 0)
  const end = performance.now() + WARM_UP_MILLISECONDS
  for (let count = 1; count < WARM_UP_STEPS && first * count < 10 * WARM_UP_MILLISECONDS; count++) await step()
  while (performance.now() < end) await step()
  return first
}

async function time(step: () => unknown, milliseconds: number): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + milliseconds
  do {
    const began = performance.now()
    await step()
    times.push(performance.now() - began)
  } while (performance.now() < end)
  return times
}

function summarize(times: number[]): Omit<Slice, 'leaked'> {
  const sample = times.filter((_, index) => index % Math.ceil(times.length / SAMPLES) === 0)
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  const median = at(0.5)
  const deviations = sorted.map((value) => Math.abs(value - median)).sort((a, b) => a - b)
  const mad = deviations[deviations.length >> 1]
  return { median, p75: at(0.75), p99: at(0.99), mad, steps: times.length, sample }
}
