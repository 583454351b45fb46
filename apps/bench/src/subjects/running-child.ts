import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ChildTask, FinalMessage, StepTimes, TimingRequest } from '../workload'
import type { Subject } from './subjects'

/** Why a subject or one of its runs failed. */
export interface Failure {
  error: string
}

/** For loading, compiling and slow steps, beyond the time that a child was given; after that it counts as hanging. */
const GRACE_MILLISECONDS = 60_000

/** What it takes to start one. */
export type Startable = Pick<Subject, 'name' | 'command' | 'environment' | 'task' | 'network' | 'get'>

/** A subject in its process. Crashes, hangs and missing programs become failures with a reason. */
export class RunningChild {
  /** What runs, with its version. */
  description = ''
  /** Milliseconds from the start of the process until it was ready. */
  startUp = 0
  private readonly process: ChildProcess
  private readonly lines: AsyncIterator<string>
  private stderr = ''
  private ended: string | null = null

  private constructor({ command, environment }: Startable, task: ChildTask) {
    const [program, ...args] = command
    const env = { ...process.env, ...environment }
    this.process = spawn(program, [...args, JSON.stringify(task)], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.process.stderr?.on('data', (chunk) => {
      this.stderr = (this.stderr + chunk).slice(-4000)
    })
    this.process.stdin?.on('error', () => {}) // a child that is gone shows by its missing answer
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
    subject: Startable,
    task: Omit<ChildTask, keyof Subject['task']>,
  ): Promise<RunningChild | Failure> {
    const began = performance.now()
    const network = subject.network ?? task.network
    const child = new RunningChild(subject, { ...task, ...subject.task, network })
    const ready = (await child.answer(0)) as { description: string } | Failure
    if ('error' in ready) return { error: `${ready.error}; get it with: ${subject.get}` }
    child.startUp = performance.now() - began
    child.description = ready.description
    return child
  }

  /** Lets it measure for a while. */
  async run(request: TimingRequest): Promise<StepTimes | Failure> {
    return (await this.ask(request, request.seconds)) as StepTimes | Failure
  }

  /** Asks a question whose answer takes this many seconds. */
  ask(question: object, seconds: number): Promise<object> {
    this.process.stdin?.write(`${JSON.stringify(question)}\n`)
    return this.answer(1000 * seconds)
  }

  /** Ends it, and returns its last message unless it is gone already. */
  async end(): Promise<FinalMessage | Failure> {
    this.process.stdin?.end()
    return (await this.answer(0)) as FinalMessage | Failure
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
    if (!next.done) return this.answer(milliseconds) // printed by a library
    await new Promise((resolve) => setTimeout(resolve, 50)) // the end of its output comes before its exit code
    return { error: this.ended ?? 'it ended without a message' }
  }
}

/** The line of a stack trace that names the error. */
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => /^(\w*Error|\w+: )/.test(line.trim()))?.trim() || lines.at(-1)?.trim() || undefined
}
