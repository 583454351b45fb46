import { JobRefusedError } from './errors'
import { show } from './space'
import type { Trial, TrialReport } from './trial'

/** A piece of work as plain data. */
export interface Job {
  /** Its name among the jobs of its set. */
  key: string
  /** Which function of the module does it: `trial` or `shard`. */
  kind: JobKind
  /** The job that it goes on from: it finds what that one left in its directory. */
  after?: string
  /** What its function is given. */
  data: Readonly<Record<string, unknown>>
}

/** The functions that a module of jobs may have. */
export type JobKind = 'trial' | 'shard'

export const JOB_KINDS: readonly JobKind[] = ['trial', 'shard']

/** What came of a job, once and for all. */
export interface Outcome {
  /** Of which job. */
  key: string
  /** Whether it was done. */
  status: 'done' | 'failed'
  /** What the job's function returned; null when it failed. */
  value: Readonly<Record<string, unknown>> | null
  /** Why it failed; null when it did not. */
  reason: string | null
  /** How often it was begun. */
  attempts: number
  /** Of the last attempt. */
  seconds: number
  /** Which machine and process it was. */
  worker: string
}

/** What a job's function is given beside its data. */
export interface JobContext {
  /** A directory for checkpoints and weights: what an earlier attempt or part left there is there again. */
  directory: string
  /** Files that all jobs of the set share, such as weights to predict with; empty when there are none. */
  shared: string
  /**
   * Aborted when the machine is wanted back: save, and return or throw within 20 s. After that a process is ended, and a function's promise
   * left behind.
   */
  signal: AbortSignal
}

/** What does jobs: a function per kind. A module of jobs exports them under these names. */
export interface JobFunctions {
  /** Trains with a configuration, and says what it found. */
  trial?: (trial: Trial, context: JobContext) => TrialReport | Promise<TrialReport>
  /** Does a part of a large piece of work; what it returns is kept as JSON. */
  shard?: (data: Readonly<Record<string, unknown>>, context: JobContext) => object | Promise<object>
}

/** A named set of jobs. */
export interface JobSetOptions {
  /** Letters, digits, '.', '_' and '-'. */
  name: string
  /** What decides the outcomes; an engine that has a set of this name with another definition refuses. */
  definition: object
  /** A directory with files for all jobs; they are copied to where the jobs run. */
  shared?: string
}

/** The jobs of a sweep or of a prediction, wherever they run. Each runs at least once, and has exactly one outcome. */
export interface JobSet {
  /** Jobs to be done. One that has an outcome, or was added before, is not added again. */
  add(jobs: readonly Job[]): Promise<void>
  /**
   * All outcomes, each once, those of earlier programs first. Ends when the signal is aborted; what else was asked of a store that does
   * not answer fails then.
   */
  outcomes(signal?: AbortSignal): AsyncIterable<Outcome>
  /** Fills a directory with what a job left in its own; whether it left something. */
  fetch(key: string, directory: string): Promise<boolean>
  /** Forgets what a job left. */
  discard(key: string): Promise<void>
  /** Lets go of everything; jobs that were not begun stay for a later program where there is a queue. */
  close(): Promise<void>
}

/** Where jobs run: in processes of this machine, or on a queue that any number of machines serve. */
export interface Engine {
  /**
   * @throws {@link SweepMismatchError} when the set of this name is another.
   */
  open(options: JobSetOptions): Promise<JobSet>
}

/** A trial that fails so often is given up. */
export const MAX_FAILURES = 3

/** A job whose process dies so often is given up: it is not the machines. */
export const MAX_LOSSES = 10

/** An outcome is a report, not a model. */
export const MAX_OUTCOME_BYTES = 1 << 22

const KEY = /^[\w@.-]{1,64}$/

/** Whether a text can be a job's name, and so a file's. */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && KEY.test(key) && !key.startsWith('.')
}

const SET_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i

/** Whether a text can be the name of a set of jobs, and so part of a key of Redis and a directory. */
export function isSetName(name: unknown): name is string {
  return typeof name === 'string' && SET_NAME.test(name)
}

/** @throws {@link JobRefusedError} for anything that {@link encodeOutcome} does not write. */
export function decodeOutcome(text: string, where: string): Outcome {
  let found: unknown
  try {
    found = text.length <= MAX_OUTCOME_BYTES ? JSON.parse(text) : undefined
  } catch {
    // said below
  }
  const { key, status, value, reason, attempts, seconds, worker } = (found ?? {}) as Outcome
  const isDone = status === 'done' && isRecord(value) && reason === null
  const isFailed = status === 'failed' && value === null && typeof reason === 'string'
  const counts = Number.isSafeInteger(attempts) && attempts >= 0 && Number.isFinite(seconds)
  if (!isKey(key) || !(isDone || isFailed) || !counts || typeof worker !== 'string') {
    throw new JobRefusedError(`${where}: ${show(found ?? text)} is not an outcome; it was altered, so remove it`)
  }
  return { key, status, value, reason, attempts, seconds, worker }
}

/** As JSON. A value that is too large or is no JSON makes the job fail. */
export function encodeOutcome(outcome: Outcome): string {
  const text = JSON.stringify(outcome)
  if (text.length <= MAX_OUTCOME_BYTES) return text
  const reason = `its result is ${text.length} characters of JSON, at most ${MAX_OUTCOME_BYTES} are kept`
  return JSON.stringify({ ...outcome, status: 'failed', value: null, reason } satisfies Outcome)
}

/** Whether a value is an object that is not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One line of what went wrong, without a stack. */
export function reasonFrom(error: unknown): string {
  const message = error instanceof Error ? error.message : isRecord(error) ? String(error.message) : String(error)
  return message.split('\n')[0].slice(0, 1000)
}
