import { stat } from 'node:fs/promises'
import type { Table } from '@rowwise/data'
import { predict } from '@rowwise/train-loop'
import { tensor3d } from '@tensorflow/tfjs-core'
import { tableOf, windowsUpTo } from '../run/series-in-use'
import type { SeriesFacts } from '../run/series-task'
import type { LoadedModel } from '../run/weights-file'

/** What comes after a row of a time series. */
export interface ForecastRow {
  /** The first row that is forecast, from 1; rows after the last of the file are those that it does not have yet. */
  row: number
  /** The forecast of each target, a value per row of the horizon. */
  forecast: Record<string, number[]>
}

let last: { key: string; table: Promise<Table> } | null = null

/** Forecasts what comes after each of some rows of a CSV file. The file is kept for the next shard. */
export async function predictSeries(
  { model }: LoadedModel,
  facts: SeriesFacts,
  csv: string,
  { start, end, delimiter }: { start: number; end: number; delimiter?: string },
): Promise<ForecastRow[]> {
  const { size, mtimeMs } = await stat(csv)
  const key = JSON.stringify([csv, delimiter, facts, size, mtimeMs])
  if (last?.key !== key) last = { key, table: tableOf(csv, facts, delimiter) }
  const table = await last.table.catch((error) => {
    last = null
    throw error
  })
  const { window, horizon, target, columns, scales } = facts
  const ends = Array.from({ length: end - start }, (_, k) => start + k + window)
  const inputs = tensor3d(windowsUpTo(table, facts, ends), [ends.length, window, columns.length])
  const outputs = await predict(model, inputs)
  const values = await outputs.data()
  inputs.dispose()
  outputs.dispose()
  return ends.map((row, sample) => ({
    row: row + 1,
    forecast: Object.fromEntries(
      target.map((name, k) => [
        name,
        Array.from({ length: horizon }, (_, t) => {
          const value = values[(sample * horizon + t) * target.length + k]
          return value * scales[name].std + scales[name].mean
        }),
      ]),
    ),
  }))
}
