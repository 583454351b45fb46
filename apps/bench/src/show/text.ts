import type { Change } from '../report/ratios'
import type { Report } from '../report/report'
import { renderTable } from './table'
import { changesTable, machineLine, quietLine, tablesOf } from './tables'

/** A report for a terminal, with what changed since an older one where there is one. */
export function renderText(report: Report, changes: readonly Change[] | null): string {
  const tables = [...tablesOf(report), ...(changes ? [changesTable(changes)] : [])]
  const absent = report.absent.map(({ subject, reason }) => `  ${subject}: ${reason}`)
  return [
    [machineLine(report), quietLine(report)].join('\n'),
    ...tables.map(({ title, head, rows, left }) => `${title}\n${renderTable(head, rows, left)}`),
    ...(absent.length > 0 ? [`not measured:\n${absent.join('\n')}`] : []),
    `made by: ${report.command}`,
  ].join('\n\n')
}
