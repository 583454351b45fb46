import { fileURLToPath } from 'node:url'
import type { JobContext, Trial, TrialReport } from '@rowwise/sweep'
import { WrongWorkerError } from '../exit'
import { importModule } from './import-module'
import { isTraining } from './train-settings'

/** The user's module, as the program that started this process says. */
const path = fileURLToPath(process.env.ROWWISE_SWEEP_MODULE ?? '')

/** Does a trial of the user's own. */
export async function trial(given: Trial, context: JobContext): Promise<TrialReport> {
  if (isTraining(given.fixed)) {
    throw new WrongWorkerError(
      'its sweep is one of trainings, and this worker has a trial of its own; start one without --module',
    )
  }
  const found = await importModule(path)
  if (typeof found.trial !== 'function') throw new Error(`${path} exports no function 'trial'`)
  return found.trial(given, context)
}
