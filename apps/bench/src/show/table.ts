/** A table for a terminal: the first columns left, the others right. */
export function renderTable(head: string[], rows: string[][], left = 1): string {
  return padded([head, ...rows], left)
    .map((line) => line.join('  ').trimEnd())
    .join('\n')
}

/** The same in Markdown, aligned for readers of the source. */
export function renderMarkdown(head: string[], rows: string[][], left = 1): string {
  const lines = padded(
    [head, ...rows].map((line) => line.map((cell) => cell.replaceAll('|', '\\|'))),
    left,
    3,
  )
  const rule = lines[0].map((cell, column) =>
    column < left ? '-'.repeat(cell.length) : `${'-'.repeat(cell.length - 1)}:`,
  )
  return [lines[0], rule, ...lines.slice(1)].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function padded(lines: string[][], left: number, least = 0): string[][] {
  const widths = lines[0].map((_, column) => Math.max(least, ...lines.map((line) => line[column].length)))
  return lines.map((line) =>
    line.map((cell, column) => (column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))),
  )
}
