import { fileURLToPath } from 'node:url'
import type { JobContext, Trial, TrialReport } from '@rowwise/sweep'
import { importModule } from './import-module'

/** The user's module, as the program that started this process says. */
const path = fileURLToPath(process.env.ROWWISE_SWEEP_MODULE ?? '')

/** Does a trial of the user's own. */
export async function trial(given: Trial, context: JobContext): Promise<TrialReport> {
  const found = await importModule(path)
  if (typeof found.trial !== 'function') throw new Error(`${path} exports no function 'trial'`)
  return found.trial(given, context)
}
