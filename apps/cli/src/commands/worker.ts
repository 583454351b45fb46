import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { stopOnSignal } from '../stop-on-signal'
import { short } from '../sweep/show'
import { connectionOf, filesOf, jobsModule, type WhereFlags, workersOf } from '../sweep/where'

/** The flags of `rowwise worker`. */
export interface WorkerFlags extends WhereFlags {
  root: string
  module?: string
  idle?: number
  lostAfter: number
  json?: boolean
}

/** `rowwise worker`: does the jobs of a queue until a signal ends it. */
export async function worker(flags: WorkerFlags): Promise<void> {
  const connection = connectionOf(flags)
  if (connection === undefined)
    throw new UsageError('which queue? pass --redis redis://host:6379, or set ROWWISE_REDIS')
  if (!existsSync(flags.root))
    throw new UsageError(`--root ${flags.root} is not there; name the directory with the data`)
  process.env.ROWWISE_JOBS_ROOT = resolve(flags.root)
  if (flags.module !== undefined) {
    await requireTrial(flags.module)
    process.env.ROWWISE_SWEEP_MODULE = pathToFileURL(resolve(flags.module)).href
  }
  const stop = stopOnSignal()
  const workers = workersOf(flags)
  const { runWorker } = await import('@rowwise/sweep/redis')
  try {
    if (!flags.json) print(`waiting for jobs, ${workers} at once; Ctrl-C gives them back`)
    await runWorker({
      ...{
        connection,
        workers,
        files: await filesOf(flags),
        signal: stop.signal,
        jobs: jobsModule(flags.module !== undefined),
      },
      ...{ lostAfterSeconds: flags.lostAfter, idleSeconds: flags.idle },
      onOutcome(set, { key, status, value, reason, seconds }) {
        if (flags.json) printJson({ set, key, status, reason, seconds })
        else print(`${set} ${key}: ${status === 'failed' ? `failed: ${reason}; ` : numbers(value)}${duration(seconds)}`)
      },
      onNote: (note) => console.error(`rowwise: ${note}`),
    })
    if (stop.signal.aborted) process.exitCode = stop.exitCode()
  } finally {
    stop.dispose()
  }
}

async function requireTrial(path: string): Promise<void> {
  const { importModule } = await import('../sweep/import-module')
  const found = await importModule(resolve(path)).catch((cause) => {
    throw new UsageError(`--module ${path} cannot be loaded: ${reasonOf(cause)}`, { cause })
  })
  if (typeof found.trial === 'function') return
  throw new UsageError(`--module ${path} exports no function 'trial'; pass the file of a sweep that has its own`)
}

function numbers(value: unknown): string {
  const { metrics } = value as { metrics?: Record<string, number> }
  return Object.entries(metrics ?? {})
    .map(([name, number]) => `${name} ${short(number)}, `)
    .join('')
}
