import { importancesOf, type SweepState } from '@rowwise/sweep'
import Papa from 'papaparse'
import { UsageError } from '../exit'
import { writeOutput } from '../run/write-output'

/** Writes what a sweep found into a file; how, its name says. */
export async function writeExport(state: SweepState, file: string): Promise<void> {
  const ending = /\.(\w+)$/.exec(file)?.[1]
  if (ending === 'csv') return writeOutput('--to', file, `${csvOf(state)}\n`)
  if (ending === 'json') {
    const { sweep, complete, rows } = state
    return writeOutput(
      '--to',
      file,
      `${JSON.stringify({ sweep, complete, importances: importancesOf(state), rows }, null, 2)}\n`,
    )
  }
  if (ending === 'html') return writeOutput('--to', file, await (await import('./report')).reportPage(state))
  throw new UsageError(`--to is ${file}, expected a name that ends in .csv, .json or .html`)
}

function csvOf({ rows, sweep }: SweepState): string {
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))].filter((name) => name !== 'epoch')
  const lines = rows.map((row) => ({
    ...{ trial: row.trial, epochs: row.epochs, status: row.status },
    ...Object.fromEntries(Object.keys(sweep.space).map((name) => [`config.${name}`, row.config[name]])),
    ...Object.fromEntries(metrics.map((name) => [name, row.metrics[name] ?? ''])),
    ...{ weights: row.weights, attempts: row.attempts, seconds: row.seconds, worker: row.worker, reason: row.reason },
  }))
  return Papa.unparse(lines, { newline: '\n' })
}
