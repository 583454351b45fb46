import { isTypedArray } from '@rowwise/host'
import { CheckpointReadError } from '../errors'
import type { EpochEnd } from '../events'

/** Where a run stands. */
export interface RunPosition {
  /** The epoch under way, from 1; one past the last when the run is complete. */
  epoch: number
  /** Steps of that epoch taken. */
  batch: number
  /** Samples of that epoch seen. */
  samples: number
  /** Sum of that epoch's losses over its samples. */
  lossSum: number
  /** Seconds of training in that epoch. */
  seconds: number
  /** Of them, those of waiting for batches, as far as they are known. */
  dataSeconds: number
  /** Whether that epoch's training is over, so that only its evaluation is left. */
  trained: boolean
  /** Steps of the whole run. */
  step: number
  /** The learning rate of each group of parameters at the start of the run, which a schedule begins with. */
  initialLrs: number[]
  /** The complete epochs. */
  history: EpochEnd[]
}

/** A run as a checkpoint holds it, weights apart. */
export interface RunState {
  position: RunPosition
  /** What the optimizer's `stateDict` returned; null when it has none. */
  optimizer: unknown
  /** What the data loader's `state` returned; null when it has none. */
  loader: unknown
  /** What a schedule that follows a metric returned as its `state`; null when it has none. */
  schedule: unknown
  /** What each generator's `state` returned. */
  generators: Record<string, Uint8Array>
}

/** The position before the first step. */
export function startOfRun(initialLrs: number[]): RunPosition {
  return { ...startOfEpoch(1), step: 0, initialLrs, history: [] }
}

/** The part of a position that begins anew with each epoch. */
export function startOfEpoch(
  epoch: number,
): Pick<RunPosition, 'epoch' | 'batch' | 'samples' | 'lossSum' | 'seconds' | 'dataSeconds' | 'trained'> {
  return { epoch, batch: 0, samples: 0, lossSum: 0, seconds: 0, dataSeconds: 0, trained: false }
}

/** Refuses what is no run state; the parts that belong to others are left to them. */
export function checkRunState(value: unknown): RunState {
  const { position, optimizer, loader, schedule, generators } = record(value, 'the run state')
  const fields = record(position, 'position')
  for (const name of ['epoch', 'batch', 'samples', 'step'] as const) {
    if (!Number.isSafeInteger(fields[name]) || (fields[name] as number) < 0) refuse(name, fields[name], 'a count')
  }
  for (const name of ['lossSum', 'seconds', 'dataSeconds'] as const) {
    if (!Number.isFinite(fields[name])) refuse(name, fields[name], 'a finite number')
  }
  if (!Array.isArray(fields.initialLrs) || !fields.initialLrs.every(Number.isFinite)) {
    refuse('initialLrs', fields.initialLrs, 'a finite number for each group')
  }
  if (typeof fields.trained !== 'boolean') refuse('trained', fields.trained, 'true or false')
  if (!Array.isArray(fields.history) || !fields.history.every(isEpochEnd)) {
    refuse('history', fields.history, 'one entry per complete epoch')
  }
  const states = record(generators, 'generators')
  for (const [name, state] of Object.entries(states)) {
    if (!isTypedArray(state, 'Uint8Array')) refuse(`generators.${name}`, state, 'bytes')
  }
  return {
    position: fields as unknown as RunPosition,
    ...{ optimizer, loader, schedule },
    generators: states as RunState['generators'],
  }
}

function isEpochEnd(value: unknown): boolean {
  const { epoch, trainLoss } = (value ?? {}) as Partial<EpochEnd>
  return Number.isSafeInteger(epoch) && typeof trainLoss === 'number'
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(name, value, 'an object')
  return value as Record<string, unknown>
}

function refuse(name: string, found: unknown, expected: string): never {
  throw new CheckpointReadError(`${name} is ${String(found)}, expected ${expected}; the checkpoint was altered`)
}
