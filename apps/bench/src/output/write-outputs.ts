import { writeFileAtomically } from '@rowwise/atomic-file'
import { FAILURE } from '../exit'
import { goalsOf } from '../report/goals'
import { type Change, changesSince } from '../report/ratios'
import type { Report } from '../report/report'
import { drawThroughputFile } from '../show/charts'
import { renderDocsPage } from '../show/docs-page'
import { renderHtmlPage } from '../show/html-page'
import { renderText } from '../show/text'
import { type OutputFile, reasonOf } from './output-files'

const RENDER: Readonly<Record<OutputFile['content'], (report: Report) => string | Promise<string>>> = {
  report: (report) => toJson(report),
  html: renderHtmlPage,
  'docs page': renderDocsPage,
  'docs chart': drawThroughputFile,
}

/**
 * Writes the files, each whole or not at all, and prints the report. When a file cannot be written, the whole report is
 * printed as JSON too, so that the measurement is not lost, and the exit code is 1.
 */
export async function writeOutputs(
  files: readonly OutputFile[],
  report: Report,
  { json = false, old = null }: { json?: boolean; old?: Report | null } = {},
): Promise<Change[]> {
  const changes = old ? changesSince(old, report.rows) : []
  const failures: string[] = []
  for (const file of withoutPartialDocs(files, report)) {
    const failure = await write(file, report)
    if (failure !== null) failures.push(failure)
  }
  process.stdout.write(json ? toJson(report, changes) : `${renderText(report, old ? changes : null)}\n`)
  if (failures.length > 0) {
    if (!json) process.stdout.write(toJson(report))
    for (const failure of failures) console.error(`rowwise-bench: ${failure}`)
    console.error(
      "rowwise-bench: the last line of the output is the whole report; save it to a file, then 'rowwise-bench show FILE' makes the outputs from it",
    )
    process.exitCode = FAILURE
  }
  return changes
}

/** A page of an interrupted or failed run would replace a whole one. */
function withoutPartialDocs(files: readonly OutputFile[], { isInterrupted, rows }: Report): readonly OutputFile[] {
  const docs = files.find(({ option }) => option === '--docs')
  if (docs === undefined || (!isInterrupted && rows.length > 0)) return files
  const why = isInterrupted ? 'the measurement was interrupted' : 'nothing was measured'
  console.error(`rowwise-bench: --docs '${docs.given}' stays as it is: ${why}`)
  return files.filter(({ option }) => option !== '--docs')
}

async function write({ option, path, content }: OutputFile, report: Report): Promise<string | null> {
  try {
    await writeFileAtomically(path, await RENDER[content](report))
    return null
  } catch (error) {
    return `${option}: ${path} could not be written: ${reasonOf(error)}`
  }
}

/** A report with its goals, and what changed, in one line. */
function toJson(report: Report, changes?: readonly Change[]): string {
  return `${JSON.stringify({ ...report, goals: goalsOf(report), ...(changes && { changes }) })}\n`
}
