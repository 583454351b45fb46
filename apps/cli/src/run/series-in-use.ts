import type { Table } from '@rowwise/data'
import { readCSV } from '@rowwise/data/csv'
import { UsageError } from '../exit'
import type { SeriesFacts } from './series-task'
import type { UseFlags } from './weights-and-data'
import type { LoadedModel } from './weights-file'

/** A model of a time series, and the table that it is used on. */
export interface SeriesInUse {
  model: LoadedModel['model']
  facts: SeriesFacts
  table: Table
}

/** The model of a time series and its CSV file; undefined where the weights are of images. */
export async function seriesInUse(flags: UseFlags, { model, series }: LoadedModel): Promise<SeriesInUse | undefined> {
  const { csv, delimiter, weights } = flags
  if (series === undefined || csv === undefined) return undefined
  const stray = (['data', 'images', 'variant', 'source', 'classNames', 'mean', 'std'] as const).find(
    (name) => flags[name] !== undefined,
  )
  if (stray) throw new UsageError(`--${stray} is for images, and ${weights} forecasts a time series; leave it out`)
  const table = await tableOf(csv, series, delimiter)
  const { inputSize, numClasses } = model.config
  if (inputSize !== series.columns.length || numClasses !== series.horizon * series.target.length) {
    throw new UsageError(
      `${weights} reads ${inputSize} columns, its metadata says ${series.columns.length}; it was altered`,
    )
  }
  return { model, facts: series, table }
}

/** The windows that end before some rows of a table: scaled, `[ends, window, columns]`. */
export function windowsUpTo(
  table: Table,
  { columns, window, scales }: SeriesFacts,
  ends: readonly number[],
): Float32Array {
  if (table.rows < window) {
    throw new UsageError(`${table.name} has ${table.rows} rows, the model reads ${window}; give it more`)
  }
  const values = new Float32Array(ends.length * window * columns.length)
  columns.forEach((name, column) => {
    const { mean, std } = scales[name]
    const all = table.column(name)
    ends.forEach((end, sample) => {
      for (let t = 0; t < window; t++) {
        values[(sample * window + t) * columns.length + column] = (all[end - window + t] - mean) / std
      }
    })
  })
  return values
}

/** The table that a model of a time series reads; columns that it does not know are not read. */
export function tableOf(csv: string, { columns, target }: SeriesFacts, delimiter?: string): Promise<Table> {
  return readCSV(csv, { delimiter, columns: [...new Set([...columns, ...target])] })
}
