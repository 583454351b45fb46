import { writeSync } from 'node:fs'
import { type ChildTask, STOP } from './child-task'
import { functionOf } from './function-of'

// A process of our own: what a job prints is for people, so it must not mix with what the program prints for machines.
process.stdout.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
  writeSync(2, Buffer.from(chunk as Uint8Array)) // of text, too
  const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined
  done?.()
  return true
}) as typeof process.stdout.write

// The terminal sends Ctrl-C to all its processes; the one that started this one decides.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit(1)) // the one that waits for the result is gone

let current: AbortController | null = null
process.on('message', (message) => {
  if (message === STOP) current?.abort()
})

/** Does a job; the pool's processes run this. */
export default async function work({ module, kind, data, directory, shared }: ChildTask): Promise<object> {
  current = new AbortController()
  const { signal } = current
  const job = functionOf(`the module ${module}`, await load(module), kind)
  try {
    const value = await job(data, { directory, shared, signal })
    return { value: plain(value), stopped: signal.aborted }
  } finally {
    current = null
  }
}

/** A report as plain data: what cannot be sent is the job's fault, and not its process's. */
function plain(value: object): object {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch (error) {
    throw new Error(`its report is no plain data: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** A module that this machine cannot load is no job's fault. */
async function load(module: string): Promise<object> {
  try {
    return await import(module)
  } catch (error) {
    throw Object.assign(new Error((error as Error).message), { code: 'WRONG_WORKER' })
  }
}
