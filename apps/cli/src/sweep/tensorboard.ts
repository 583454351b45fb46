import { join } from 'node:path'
import type { Row, SweepState } from '@rowwise/sweep'
import { EventFile } from '../tensorboard/event-file'
import { hparams, scalar, sessionEnd } from '../tensorboard/values'

/** Writes a directory per trial: its settings for TensorBoard's HPARAMS page, and its numbers by epoch. */
export async function writeTensorBoard({ rows, sweep }: SweepState, directory: string): Promise<void> {
  for (const row of rows) {
    if (row.status === 'done') await writeTrial(row, sweep.objective.metric, join(directory, `trial-${row.trial}`))
  }
}

async function writeTrial({ config, history, metrics, epochs }: Row, metric: string, directory: string): Promise<void> {
  const file = await EventFile.create(directory)
  file.add(0, hparams(config, [metric]))
  for (const [k, numbers] of history.entries()) file.add(numbers.epoch ?? k + 1, scalarsOf(numbers))
  if (history.length === 0) file.add(epochs, scalarsOf(metrics))
  file.add(epochs, [sessionEnd()])
  await file.close()
}

function scalarsOf(numbers: Readonly<Record<string, number>>): Uint8Array[] {
  return Object.entries(numbers)
    .filter(([name]) => name !== 'epoch')
    .map(([name, value]) => scalar(name, value))
}
