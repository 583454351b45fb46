import { JOB_KINDS, type JobContext, type JobKind } from '../engine'

/** A function that does jobs; its data were checked, or are its caller's own. */
export type JobFunction = (data: object, context: JobContext) => object | Promise<object>

/** The function that does jobs of a kind. Without it this worker is the wrong one, and the job is left to another. */
export function functionOf(owner: string, functions: object, kind: string): JobFunction {
  const found = JOB_KINDS.includes(kind as JobKind) ? (functions as Record<string, unknown>)[kind] : undefined
  if (typeof found === 'function') return found as JobFunction
  const names = Object.keys(functions).join(', ') || 'nothing'
  throw Object.assign(new Error(`${owner} has no function '${kind}', it has ${names}`), { code: 'WRONG_WORKER' })
}
