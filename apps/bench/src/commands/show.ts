import { type OutputFlags, prepareOutputs } from '../output/output-files'
import { writeOutputs } from '../output/write-outputs'
import { readReport } from '../report/report'

/** `rowwise-bench show`: prints a saved report, and makes pages of it. */
export async function show(path: string, flags: OutputFlags & { json?: boolean }): Promise<void> {
  const report = await readReport(path, 'show')
  await writeOutputs(prepareOutputs(flags), report, flags)
}
