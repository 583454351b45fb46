import { createInterface } from 'node:readline'
import type { ChildTask, Farewell, Turn } from '../workload'
import { type Timed, turnTaker } from './timing'

/** The task that the benchmark gave this process. */
export function readTask(): ChildTask {
  return JSON.parse(process.argv.at(-1) ?? '{}') as ChildTask
}

/** Takes turns from standard input, one a line, and answers on standard output, until it is closed. */
export async function serve(timed: Timed & { description: string }): Promise<void> {
  await serveTurns(timed.description, turnTaker(timed))
}

/** The same for one that times its turns elsewhere. */
export async function serveTurns(description: string, turn: (turn: Turn) => Promise<object>): Promise<void> {
  process.on('SIGINT', () => {}) // the benchmark decides when to end
  const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
  answer({ description })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await turn(JSON.parse(line) as Turn))
    } catch (error) {
      answer({ error: (error as Error).message.split('\n')[0] })
    }
  }
  answer({ peakMemory: process.resourceUsage().maxRSS / 1024 } satisfies Farewell)
  process.exit(0)
}
