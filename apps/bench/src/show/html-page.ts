import { escapeHtml, figure, page, table } from '@rowwise/charts'
import type { Report } from '../report/report'
import { drawCharts } from './charts'
import { machineLine, quietLine, tablesOf } from './tables'

/** A report as one page. */
export async function renderHtmlPage(report: Report): Promise<string> {
  const figures = (await drawCharts(report)).map(({ name, ...chart }) => figure({ id: name, ...chart }))
  const tables = tablesOf(report).map(({ title, head, rows, left }) => table({ title, head, rows, left }))
  const absent = report.absent.map(({ subject, reason }) => `<li>${escapeHtml(subject)}: ${escapeHtml(reason)}</li>`)
  return page('rowwise-bench', [
    `<p>${escapeHtml(machineLine(report))}<br>${escapeHtml(quietLine(report))}</p>`,
    `<p>Made on ${escapeHtml(report.date.slice(0, 10))} by <code>${escapeHtml(report.command)}</code></p>`,
    ...figures,
    ...tables,
    absent.length > 0 ? `<h2>not measured</h2><ul>${absent.join('\n')}</ul>` : '',
  ])
}
