import { createInterface } from 'node:readline'
import { STOP_SIGNALS } from '../exit'
import type { ChildTask, FinalMessage, TimingRequest } from '../workload'
import { type Timed, timer } from './timing'

/** The task that the benchmark gave this process. */
export function readTask(): ChildTask {
  return JSON.parse(process.argv.at(-1) ?? '{}') as ChildTask
}

/** Answers timing requests from standard input, one a line, on standard output, until standard input ends. */
export async function serve(timed: Timed & { description: string }): Promise<void> {
  await answerRequests(timed.description, timer(timed))
}

/** The same for a child whose steps are timed elsewhere. */
export async function answerRequests(
  description: string,
  run: (request: TimingRequest) => Promise<object>,
): Promise<void> {
  for (const signal of STOP_SIGNALS) process.on(signal, () => {}) // the benchmark decides when to end
  const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
  answer({ description })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await run(JSON.parse(line) as TimingRequest))
    } catch (error) {
      answer({ error: (error as Error).message.split('\n')[0] })
    }
  }
  answer({ peakMemory: process.resourceUsage().maxRSS / 1024 } satisfies FinalMessage)
  process.exit(0)
}
