import { isKey, isRecord, isSetName, JOB_KINDS, type Job, type JobKind } from '../engine'
import { JobRefusedError } from '../errors'
import { isValue, show } from '../space'
import { jobId } from './names'

/** A job as it lies in the queue. */
export interface QueuedJob extends Job {
  /** The set that it belongs to. */
  set: string
}

/** Ours have some hundred bytes; a shard's list of files has the most. */
const MAX_BYTES = 1 << 20
const MAX_DEPTH = 8

/** Names that would reach an object's prototype. */
const FORBIDDEN: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Checks what came out of a queue, which anyone who reaches Redis can write to. A name is a name and never a path, and nothing in a job
 * says which code runs.
 *
 * @throws {@link JobRefusedError}
 */
export function checkQueuedJob(id: unknown, kind: unknown, data: unknown): QueuedJob {
  const refuse = (what: string): never => {
    throw new JobRefusedError(`job ${show(id)}: ${what}; it was not made by rowwise, and is not done`)
  }
  if (!JOB_KINDS.includes(kind as JobKind)) refuse(`its kind is ${show(kind)}, expected one of ${JOB_KINDS.join(', ')}`)
  if (!isRecord(data)) refuse(`its data are ${show(data)}, expected an object`)
  const { set, key, after, data: work, ...others } = data as Record<string, unknown>
  if (Object.keys(others).length > 0) refuse(`it has ${show(Object.keys(others)[0])}, which is unknown`)
  if (!isSetName(set)) refuse(`its set is ${show(set)}, which is no name`)
  if (!isKey(key)) refuse(`its key is ${show(key)}, which is no name`)
  if (after !== undefined && !isKey(after)) refuse(`it goes on from ${show(after)}, which is no name`)
  if (id !== jobId(set as string, key as string)) refuse('its id is not that of its set and key')
  if (!isRecord(work)) refuse(`its work is ${show(work)}, expected an object`)
  if (!isPlain(work, MAX_DEPTH)) refuse(`its data nest deeper than ${MAX_DEPTH}, or reach for an object's prototype`)
  if (JSON.stringify(work).length > MAX_BYTES) refuse(`its data have more than ${MAX_BYTES} bytes`)
  if (kind === 'trial' && !isTrial(work as Record<string, unknown>)) refuse(`${show(work)} is not a trial`)
  return {
    ...{ kind: kind as JobKind, set: set as string, key: key as string, data: work as Record<string, unknown> },
    ...(after !== undefined && { after: after as string }),
  }
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  return Object.keys(value).every(
    (name) => !FORBIDDEN.includes(name) && isPlain((value as Record<string, unknown>)[name], depth - 1),
  )
}

function isTrial({ number, config, seed, epochs, from, fixed, ...others }: Record<string, unknown>): boolean {
  const isCount = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && Number(value) >= least
  return (
    Object.keys(others).length === 0 &&
    isCount(number, 0) &&
    isCount(seed, 0) &&
    isCount(epochs, 1) &&
    isCount(from, 0) &&
    Number(from) < Number(epochs) &&
    isRecord(config) &&
    Object.values(config).every(isValue) &&
    isRecord(fixed)
  )
}
