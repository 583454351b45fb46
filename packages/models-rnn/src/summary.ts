/** What a layer says of itself in a summary. */
export interface LayerSummary {
  /** Its input and output shapes: `[N, T, 28] -> [N, T, 64]`. */
  shapes?: string
  /** What computes it, in words. */
  computedBy?: string
}

/** A line of a summary. */
export interface SummaryRow extends LayerSummary {
  /** The names on the way to the module, joined by dots; empty for the model itself. */
  path: string
  /** The class. */
  kind: string
  /** Parameters of the module itself. */
  parameters: number
}

/** The table behind `Module.summary()`; a parameter that several layers share counts once in the totals. */
export function summaryTable(layers: readonly SummaryRow[], totals: { all: number; frozen: number }): string {
  const rows = [
    ['layer', 'class', 'shapes', 'parameters', 'computed by'],
    ...layers.map(({ path, kind, shapes = '', parameters, computedBy = '' }) => [
      path,
      kind,
      shapes,
      String(parameters),
      computedBy,
    ]),
    ['total', '', '', String(totals.all), totals.frozen > 0 ? `${totals.frozen} of them frozen` : ''],
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map(([path, kind, shapes, parameters, computedBy]) =>
      [
        path.padEnd(widths[0]),
        kind.padEnd(widths[1]),
        shapes.padEnd(widths[2]),
        parameters.padStart(widths[3]),
        computedBy,
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
