import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Tinypool } from 'tinypool'
import { untilAborted } from '../aborted'
import { JOB_KINDS, type JobContext, type JobFunctions, type JobKind } from '../engine'
import { SweepDefinitionError } from '../errors'
import { show } from '../space'
import { type ChildTask, STOP } from './child-task'
import { functionOf } from './function-of'

/** What does a job: functions that run in this process, or the address of a module whose exports run in others. */
export type Jobs = JobFunctions | URL | string

/** How long a job may save after it was told to stop; a process is ended then, and a function's promise left behind. */
const STOP_MILLISECONDS = 20_000
const STOP_EVERY_MILLISECONDS = 100

/** The process of a job died: it was killed, or ran out of memory. */
export class LostError extends Error {}

/** The job was told to stop, and did. */
export class StoppedError extends Error {}

/** Runs jobs, at most so many at once. */
export interface Pool {
  run(kind: JobKind, data: Readonly<Record<string, unknown>>, context: JobContext): Promise<object>
  close(): Promise<void>
}

/** Processes for a module; nothing for functions, which run here, one after another. */
export function poolOf(jobs: Jobs, workers: number): Pool {
  if (!Number.isSafeInteger(workers) || workers < 1) {
    throw new SweepDefinitionError(`workers is ${show(workers)}, expected an integer of at least 1`)
  }
  if (typeof jobs === 'string' || jobs instanceof URL) return new Processes(addressOf(jobs), workers)
  requireFunctions(jobs)
  if (workers === 1) return new InPlace(jobs)
  throw new SweepDefinitionError(
    `workers is ${workers}, but functions run in this process, one at a time; pass the address of a module, such as new URL('./trial.js', import.meta.url)`,
  )
}

/** @throws {@link SweepDefinitionError} for what does no jobs: every job would be given to it in vain. */
function requireFunctions(jobs: unknown): asserts jobs is JobFunctions {
  const found = (typeof jobs === 'object' && jobs !== null ? jobs : {}) as Record<string, unknown>
  const given = JOB_KINDS.filter((kind) => found[kind] !== undefined)
  if (given.length > 0 && given.every((kind) => typeof found[kind] === 'function')) return
  const names = Object.keys(found)
  throw new SweepDefinitionError(
    `jobs is ${names.length > 0 ? `an object with ${names.join(', ')}` : show(jobs)}, expected an object with a ` +
      `function ${JOB_KINDS.join(' or ')}, or the address of a module that exports them, such as new URL('./trial.js', import.meta.url)`,
  )
}

function addressOf(module: URL | string): string {
  if (module instanceof URL) return module.href
  if (module.startsWith('file:')) return module
  if (isAbsolute(module)) return pathToFileURL(module).href
  throw new SweepDefinitionError(
    `the module of jobs is ${show(module)}, expected an absolute path or an address, such as new URL('./trial.js', import.meta.url)`,
  )
}

class InPlace implements Pool {
  constructor(private readonly functions: JobFunctions) {}

  async run(kind: JobKind, data: Readonly<Record<string, unknown>>, context: JobContext): Promise<object> {
    const job = functionOf('the object of jobs', this.functions, kind)
    const { signal } = context
    if (signal.aborted) throw new StoppedError('stopped')
    const late = lateAfter(signal)
    try {
      const work = (async () => job(structuredClone(data), context))() // what it throws at once is its failure, too
      const value = await untilAborted(late.signal, work)
      if (!signal.aborted) return value
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      late.dispose()
    }
    throw new StoppedError('stopped')
  }

  async close(): Promise<void> {}
}

/** Aborted when a job was told to stop so long ago that it is left behind. */
function lateAfter(signal: AbortSignal): { signal: AbortSignal; dispose(): void } {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const start = (): void => {
    timer = setTimeout(() => late.abort(), STOP_MILLISECONDS)
  }
  signal.addEventListener('abort', start)
  return {
    signal: late.signal,
    dispose() {
      clearTimeout(timer)
      signal.removeEventListener('abort', start)
    },
  }
}

class Processes implements Pool {
  private pool: Promise<Tinypool> | null = null

  constructor(
    private readonly module: string,
    private readonly workers: number,
  ) {}

  async run(kind: JobKind, data: Readonly<Record<string, unknown>>, context: JobContext): Promise<object> {
    const { directory, shared, signal } = context
    if (signal.aborted) throw new StoppedError('stopped')
    this.pool ??= this.start()
    const pool = await this.pool
    const end = new AbortController()
    let send: (message: unknown) => void = () => {}
    let timer: NodeJS.Timeout | undefined
    const stop = (): void => {
      const began = performance.now()
      // Again and again: a process that starts, or is between jobs, does not listen yet.
      timer ??= setInterval(() => {
        if (performance.now() - began > STOP_MILLISECONDS) end.abort()
        else send(STOP)
      }, STOP_EVERY_MILLISECONDS)
      send(STOP)
    }
    const channel = {
      onMessage(callback: (message: unknown) => void) {
        send = callback
        if (signal.aborted) stop()
      },
      postMessage() {},
    }
    signal.addEventListener('abort', stop)
    try {
      const task: ChildTask = { module: this.module, kind, data, directory, shared }
      const { value, stopped } = (await pool.run(task, { channel, signal: end.signal })) as {
        value: object
        stopped: boolean
      }
      if (stopped) throw new StoppedError('stopped')
      return value
    } catch (error) {
      if (signal.aborted) throw new StoppedError('stopped')
      const { message = '' } = error as Error
      if (/exited unexpectedly|ERR_IPC_CHANNEL_CLOSED|EPIPE/.test(message)) throw new LostError('its process died')
      throw error
    } finally {
      clearInterval(timer)
      signal.removeEventListener('abort', stop)
    }
  }

  private async start(): Promise<Tinypool> {
    const { Tinypool } = await import('tinypool')
    const threads =
      process.env.ROWWISE_THREADS || String(Math.max(1, Math.floor(availableParallelism() / this.workers)))
    const pool = new Tinypool({
      runtime: 'child_process',
      filename: childFile(),
      minThreads: this.workers,
      maxThreads: this.workers,
      env: { ...(process.env as Record<string, string>), ROWWISE_THREADS: threads },
    })
    pool.on('error', () => {}) // an idle process died: the pool starts another
    return pool
  }

  async close(): Promise<void> {
    const { pool } = this
    this.pool = null
    await (await pool)?.destroy()
  }
}

/** What the processes run, beside this file. */
function childFile(): string {
  return import.meta.url === undefined ? `${__dirname}/child.js` : fileURLToPath(new URL('./child.js', import.meta.url))
}
