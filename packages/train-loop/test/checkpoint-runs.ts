import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Adam, accuracy, type CheckpointOptions, type FitOptions, fit, stepLR } from '../src'
import { ShuffledSource } from './shuffled-source'
import { batches, SoftmaxRegression } from './softmax-regression'

/** A directory for a run, not there yet. */
export const temporaryDirectory = () => join(mkdtempSync(join(tmpdir(), 'rowwise-checkpoints-')), 'run')
/** An error with this code. */
export const code = (code: string) => expect.objectContaining({ code })

/** A run of 3 epochs of 4 steps; everything about it is made anew, as in a new process. */
export async function run(options: Partial<FitOptions> = {}) {
  const model = new SoftmaxRegression()
  const optimizer = new Adam(model.parameters(), { lr: 0.1 })
  const result = await fit(model, {
    optimizer,
    train: new ShuffledSource(),
    validation: batches(),
    metrics: { accuracy: accuracy() },
    epochs: 3,
    schedule: stepLR({ stepSize: 1, gamma: 0.5 }),
    ...options,
  })
  const history = result.history.map(({ seconds: _, dataSeconds: __, ...rest }) => rest)
  return { ...result, history, weights: [...model.weight.dataSync()], optimizer: await optimizer.stateDict() }
}

/** Stops a run after so many steps. */
export function stopAfter(steps: number): Pick<FitOptions, 'signal' | 'callbacks'> {
  const controller = new AbortController()
  let taken = 0
  return {
    signal: controller.signal,
    callbacks: [{ onBatchEnd: () => void (++taken === steps && controller.abort()) }],
  }
}

/** Saves after every step. */
export const everyStep = (directory: string): CheckpointOptions => ({ directory, everySteps: 1 })
/** What the directory of a run says of its checkpoints. */
export const manifestOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'))
