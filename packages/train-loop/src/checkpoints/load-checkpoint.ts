import type { StateDict } from '@rowwise/safetensors'
import { CheckpointReadError } from '../errors'
import { CheckpointDirectory } from './checkpoint-directory'

/** A checkpoint as {@link loadCheckpoint} reads it. */
export interface Checkpoint {
  /** Weights by name, for `loadStateDict`. */
  weights: StateDict
  /** The settings that the run was made with. */
  config: Record<string, unknown>
  /** Optimizer steps taken. */
  step: number
  /** The epoch under way, from 1. */
  epoch: number
  /** Steps of that epoch taken. */
  batch: number
  /** What computed it: backend and kernels. */
  computedBy: string
  /** Newer checkpoints that were passed over, each with the reason. */
  skipped: string[]
}

/**
 * Reads a checkpoint that `fit` left in a directory; every file is verified by its SHA-256.
 *
 * @param which the newest that is whole, or the best by what the run monitored
 * @throws {@link CheckpointReadError} when there is none that can be read.
 * @example
 * ```ts
 * const { weights } = await loadCheckpoint('runs/1/checkpoints', 'best')
 * model.loadStateDict(weights)
 * ```
 */
export async function loadCheckpoint(directory: string, which: 'newest' | 'best' = 'newest'): Promise<Checkpoint> {
  const checkpoints = await CheckpointDirectory.open(directory)
  const { best } = checkpoints
  if (which === 'best' && best === null) {
    throw new CheckpointReadError(`${directory} holds no checkpoint of a complete epoch; take the newest`)
  }
  const stored =
    which === 'best' && best ? { ...(await checkpoints.read(best)), skipped: [] } : await checkpoints.readNewest()
  const { step, epoch, batch, computedBy } = stored.entry
  const config = checkpoints.config ?? {}
  return { weights: stored.weights, config, step, epoch, batch, computedBy, skipped: stored.skipped }
}
