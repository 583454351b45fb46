import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ChildTask, Farewell, Slice, Turn } from '../workload'
import type { Contestant } from './contestants'

/** Why a contestant or one of its turns came to nothing. */
export interface Failure {
  error: string
}

/** Beyond the time it was given a child gets this much for loading, compiling and slow steps; then it counts as hanging. */
const GRACE_MILLISECONDS = 60_000

/** A contestant in its process. Crashes, hangs and missing programs become failures with a reason. */
export class RunningChild {
  /** What runs, with its version. */
  description = ''
  /** Milliseconds from the start of the process until it was ready. */
  startUp = 0
  private readonly process: ChildProcess
  private readonly lines: AsyncIterator<string>
  private stderr = ''
  private ended: string | null = null

  private constructor(
    readonly contestant: Contestant,
    task: ChildTask,
  ) {
    const [program, ...args] = contestant.command
    const env = { ...process.env, ...contestant.environment }
    this.process = spawn(program, [...args, JSON.stringify(task)], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.process.stderr?.on('data', (chunk) => {
      this.stderr = (this.stderr + chunk).slice(-4000)
    })
    this.process.stdin?.on('error', () => {}) // a child that is gone is noticed by its missing answer
    this.process.on('error', ({ message }) => {
      this.ended = message
    })
    this.process.on('close', (code, signal) => {
      this.ended ??= reasonIn(this.stderr) ?? signal ?? `exit code ${code}`
    })
    this.lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  /** Starts it and waits until it is ready. */
  static async start(
    contestant: Contestant,
    task: Omit<ChildTask, keyof Contestant['task']>,
  ): Promise<RunningChild | Failure> {
    const began = performance.now()
    const network = contestant.network ?? task.network
    const child = new RunningChild(contestant, { ...task, ...contestant.task, network })
    const ready = (await child.answer(0)) as { description: string } | Failure
    if ('error' in ready) return { error: `${ready.error}; get it with: ${contestant.get}` }
    child.startUp = performance.now() - began
    child.description = ready.description
    return child
  }

  /** Lets it measure for a while. */
  async turn(turn: Turn): Promise<Slice | Failure> {
    return (await this.ask(turn, turn.seconds)) as Slice | Failure
  }

  /** Asks what takes so many seconds; its answer, or a {@link Failure}. */
  ask(question: object, seconds: number): Promise<object> {
    this.process.stdin?.write(`${JSON.stringify(question)}\n`)
    return this.answer(1000 * seconds)
  }

  /** Ends it; what it says of itself, unless it is gone already. */
  async end(): Promise<Farewell | Failure> {
    this.process.stdin?.end()
    return (await this.answer(0)) as Farewell | Failure
  }

  /** Ends it at once. */
  kill(): void {
    this.process.kill('SIGKILL')
  }

  private async answer(milliseconds: number): Promise<object> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), milliseconds + GRACE_MILLISECONDS)
    })
    const next = await Promise.race([this.lines.next(), late])
    clearTimeout(timer)
    if (next === 'late') {
      this.ended = `it did not answer for ${GRACE_MILLISECONDS / 1000} s and was ended`
      this.kill()
      return { error: this.ended }
    }
    if (!next.done && next.value.startsWith('{')) return JSON.parse(next.value)
    if (!next.done) return this.answer(milliseconds) // a library's own words
    await new Promise((resolve) => setTimeout(resolve, 50)) // the end of its output comes before its exit code
    return { error: this.ended ?? 'it ended without a word' }
  }
}

/** The line of a stack trace that says what happened. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => /^(\w*Error|\w+: )/.test(line.trim()))?.trim() || lines.at(-1)?.trim() || undefined
}
