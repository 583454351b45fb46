/** A table for a terminal: the first columns left, the others right. */
export function renderTable(head: string[], rows: string[][], left = 1): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The same for Markdown. */
export function renderMarkdown(head: string[], rows: string[][], left = 1): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column < left ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}
