import type { Report } from '../report/report'
import { drawCharts } from './charts'
import { machineLine, quietLine, tablesOf } from './tables'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
figure { margin: 2rem 0; overflow-x: auto; }
svg { max-width: 100%; height: auto; min-width: 38rem; } /* a narrower one would be too small to read, so the figure scrolls */
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap; }
.text { text-align: left; }
figcaption { font-size: 0.85rem; }
code { overflow-wrap: anywhere; }
`

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A report as one page that needs no other file and runs no script. */
export async function renderHtmlPage(report: Report): Promise<string> {
  const figures = (await drawCharts(report)).map(
    ({ name, title, caption, svg }) =>
      `<figure id="${name}"><h2>${escapeHtml(title)}</h2>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`,
  )
  const tables = tablesOf(report).map(({ title, head, rows, left }) => {
    const cells = (line: string[], tag: string): string =>
      line.map((cell, column) => `<${tag}${column < left ? ' class="text"' : ''}>${escapeHtml(cell)}</${tag}>`).join('')
    const body = rows.map((line) => `<tr>${cells(line, 'td')}</tr>`).join('\n')
    return `<h2>${escapeHtml(title)}</h2><div class="table"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table></div>`
  })
  const absent = report.absent.map(({ subject, reason }) => `<li>${escapeHtml(subject)}: ${escapeHtml(reason)}</li>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rowwise-bench</title>
<style>${STYLE}</style>
</head>
<body>
<h1>rowwise-bench</h1>
<p>${escapeHtml(machineLine(report))}<br>${escapeHtml(quietLine(report))}</p>
<p>Made on ${escapeHtml(report.date.slice(0, 10))} by <code>${escapeHtml(report.command)}</code></p>
${figures.join('\n')}
${tables.join('\n')}
${absent.length > 0 ? `<h2>not measured</h2><ul>${absent.join('\n')}</ul>` : ''}
</body>
</html>
`
}
