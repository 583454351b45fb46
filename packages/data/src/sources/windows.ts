import { refuseUnknownOptions } from '@rowwise/errors'
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import type { Dataset } from '../dataset'
import { DatasetError, LoaderOptionError } from '../errors'
import type { Table } from './table'

/** What is taken off a column's numbers, and what they are divided by. */
export interface Scale {
  /** Their mean. */
  readonly mean: number
  /** Their standard deviation. */
  readonly std: number
}

/** How {@link windows} cuts a time series. */
export interface WindowOptions {
  /** Rows that a sample reads. */
  window: number
  /** Rows after the window that it forecasts. @default 1 */
  horizon?: number
  /** Rows from the start of one window to the next. @default 1 */
  step?: number
  /** The columns that a sample reads. @default all */
  columns?: readonly string[]
  /** The columns that it forecasts. */
  target: string | readonly string[]
  /** Takes means off and divides by standard deviations, by column; {@link columnScales} measures them. @default as they are */
  scales?: Readonly<Record<string, Scale>>
}

/** A batch of windows. */
export interface WindowBatch {
  /** `[N, window, columns]` */
  inputs: Tensor3D
  /** `[N, horizon · targets]` */
  targets: Tensor2D
}

/** Windows of a time series: `inputs` `[N, window, columns]`, `targets` `[N, horizon · targets]`, the horizon's rows one after the other. */
export interface WindowDataset extends Dataset<WindowBatch> {
  /** The columns that a sample reads. */
  readonly columns: readonly string[]
  /** The columns that it forecasts. */
  readonly target: readonly string[]
}

/**
 * Cuts the rows of a table, a time series, into windows and what follows each. Nothing is copied until a batch is asked for.
 *
 * @throws {@link LoaderOptionError} for an option that cannot be or a column that is not there, {@link DatasetError} when there are fewer rows
 * than one window and its horizon.
 * @example
 * ```ts
 * const table = await readCSV('prices.csv')
 * const scales = columnScales(table, { end: 8000 }) // of what is trained on
 * const series = windows(table, { window: 48, target: 'price', scales })
 * const [train, test] = [subset(series, 0, 8000 - 48), subset(series, 8000, series.length)]
 * ```
 */
export function windows(table: Table, options: WindowOptions): WindowDataset {
  const known = { window: true, horizon: true, step: true, columns: true, target: true, scales: true } as const
  refuseUnknownOptions('windows()', options, known, LoaderOptionError)
  const { window, horizon = 1, step = 1, columns = table.columns, scales = {} } = options
  for (const [name, value] of Object.entries({ window, horizon, step })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new LoaderOptionError(`windows(): ${name} is ${value}, expected an integer of at least 1`)
    }
  }
  const target = [options.target].flat()
  if (target.length === 0 || typeof target[0] !== 'string') {
    throw new LoaderOptionError(
      `windows(): target is ${String(options.target)}, expected one of ${table.columns.join(', ')}`,
    )
  }
  for (const name of Object.keys(scales)) scaleOf(name, scales, table)
  const prepare = (name: string): { values: Float64Array } & Scale => ({
    values: table.column(name),
    ...scaleOf(name, scales, table),
  })
  const [read, forecast] = [columns.map(prepare), target.map(prepare)]
  const length = Math.floor((table.rows - window - horizon) / step) + 1
  if (length < 1) {
    throw new DatasetError(
      `${table.name} has ${table.rows} rows, a window of ${window} and a horizon of ${horizon} need ${window + horizon}; ask for less`,
    )
  }
  const cut = (parts: typeof read, rows: number, offset: number, indices: Int32Array): Float32Array => {
    const data = new Float32Array(indices.length * rows * parts.length)
    parts.forEach(({ values, mean, std }, column) => {
      indices.forEach((index, sample) => {
        const from = index * step + offset
        const to = sample * rows * parts.length + column
        for (let t = 0; t < rows; t++) data[to + t * parts.length] = (values[from + t] - mean) / std
      })
    })
    return data
  }
  return {
    length,
    columns,
    target,
    get: (indices) => ({
      inputs: { data: cut(read, window, 0, indices), shape: [indices.length, window, read.length] },
      targets: { data: cut(forecast, horizon, window, indices), shape: [indices.length, horizon * forecast.length] },
    }),
  }
}

/**
 * Mean and standard deviation of columns, over some rows: those that are trained on. A constant column gets std 1.
 *
 * @throws {@link LoaderOptionError} for rows that are not there.
 * @example
 * ```ts
 * const scales = columnScales(table, { end: Math.floor(0.9 * table.rows) })
 * ```
 */
export function columnScales(
  table: Table,
  options: { columns?: readonly string[]; start?: number; end?: number } = {},
): Record<string, Scale> {
  refuseUnknownOptions('columnScales()', options, { columns: true, start: true, end: true }, LoaderOptionError)
  const { columns = table.columns, start = 0, end = table.rows } = options
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > table.rows || start >= end) {
    throw new LoaderOptionError(`columnScales(): rows ${start} … ${end} of ${table.rows}, expected 0 <= start < end`)
  }
  const scaled = columns.map((name): [string, Scale] => {
    const values = table.column(name).subarray(start, end)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    return [name, std > ROUNDING * largest ? { mean, std } : { mean: values[0], std: 1 }]
  })
  return Object.fromEntries(scaled)
}

/** What remains of equal numbers when their mean, which is rounded, is taken off. */
const ROUNDING = 1e-12

function scaleOf(name: string, scales: Readonly<Record<string, Scale>>, table: Table): Scale {
  table.column(name) // throws when there is none
  const { mean, std } = Object.hasOwn(scales, name) ? scales[name] : { mean: 0, std: 1 }
  if (Number.isFinite(mean) && Number.isFinite(std) && std !== 0) return { mean, std }
  throw new LoaderOptionError(
    `windows(): the scale of ${name} has mean ${mean} and std ${std}, expected a std that is not 0`,
  )
}
