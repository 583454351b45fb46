import { Bench } from 'tinybench'
import type { ChildResult, ChildTask, Timing, Workload } from '../workload'

/** Steps, at least, before the clock counts: compilers and caches settle. */
const WARM_UP_STEPS = 5

/** Reads the task that the benchmark gave this child process. */
export function readTask(): ChildTask {
  return JSON.parse(process.argv[2] ?? '{}') as ChildTask
}

/** Times a step until the seconds are over; the step must wait for its result. */
export async function measure(workload: Workload, seconds: number, step: () => unknown): Promise<Timing> {
  const bench = new Bench({
    time: 1000 * seconds,
    iterations: 5,
    warmup: true,
    warmupTime: 500 * seconds,
    warmupIterations: WARM_UP_STEPS,
  })
  bench.add('step', async () => {
    await step()
  })
  const [task] = await bench.run()
  const { result } = task
  if (!('latency' in result) || result.latency === undefined)
    throw new Error(`the step failed: ${JSON.stringify(result)}`)
  const { p50, p75, p99, mad, samplesCount } = result.latency
  return { ...workload, median: p50, p75, p99, mad, steps: samplesCount }
}

/** Prints what this child measured, for the benchmark to read. */
export function report(result: Omit<ChildResult, 'peakMemory'>): void {
  const peakMemory = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ ...result, peakMemory } satisfies ChildResult)}\n`)
}
