/** A page that needs no other file and runs no script. `parts` are HTML. */
export function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${parts.join('\n')}
</body>
</html>
`
}

/** A chart with its title and caption. */
export function figure({ id, title, caption, svg }: Record<'id' | 'title' | 'caption' | 'svg', string>): string {
  return `<figure id="${id}"><h2>${escapeHtml(title)}</h2>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

/** A table; the first `left` columns are text. */
export function table({
  title,
  head,
  rows,
  left,
}: {
  title: string
  head: readonly string[]
  rows: readonly (readonly string[])[]
  left: number
}): string {
  const cells = (line: readonly string[], tag: string): string =>
    line.map((cell, column) => `<${tag}${column < left ? ' class="text"' : ''}>${escapeHtml(cell)}</${tag}>`).join('')
  const body = rows.map((line) => `<tr>${cells(line, 'td')}</tr>`).join('\n')
  return `<h2>${escapeHtml(title)}</h2><div class="table"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table></div>`
}

/** Text as HTML shows it. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

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
