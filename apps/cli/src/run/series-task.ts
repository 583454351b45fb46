import { createHash } from 'node:crypto'
import {
  columnScales,
  DataLoader,
  type Scale,
  subset,
  type Table,
  type WindowBatch,
  type WindowDataset,
  windows,
} from '@rowwise/data'
import { readCSV } from '@rowwise/data/csv'
import { meanAbsoluteError, r2, type TestResult } from '@rowwise/train-loop'
import { UsageError } from '../exit'
import { lossOf } from './recipe'
import type { RunSettings } from './settings'
import { makeNet, type Task } from './task'

const TEST_BATCH_SIZE = 1000

/** The share of the windows that is tested on: the last ones. Those before them validate. */
const TEST_SHARE = 0.1
const VALIDATION_SHARE = 0.1

/** What a model of a time series reads and forecasts; it is in the metadata of its weights. */
export interface SeriesFacts {
  columns: readonly string[]
  target: readonly string[]
  window: number
  horizon: number
  scales: Readonly<Record<string, Scale>>
  /** What it was trained with, where that is not the mean square. */
  loss?: RunSettings['loss']
  /** The rows that it was made from: those that trained, validated and tested it. */
  madeFrom?: { rows: number; digest: string }
}

/** What is found out of a forecast, beside the loss. */
export const forecastMetrics = () => ({ meanAbsoluteError: meanAbsoluteError(), r2: r2() })

type ForecastMetrics = ReturnType<typeof forecastMetrics>

/** Learns to forecast columns of a CSV file. */
export async function seriesTask(settings: RunSettings, signal: AbortSignal): Promise<Task<ForecastMetrics>> {
  const loss = lossOf(settings)
  const { csv = '', window = 1, horizon = 1, target = [], columns, delimiter, batchSize } = settings
  const read = columns === undefined ? undefined : [...new Set([...columns, ...target])]
  const table = await readCSV(csv, { delimiter, signal, ...(read && { columns: read }) })
  const inputs = columns ?? table.columns
  const length = windows(table, { window, horizon, target, columns: inputs }).length
  const [validated, tested] = [Math.floor((settings.validation ?? VALIDATION_SHARE) * length), testedOf(length)]
  const trained = length - validated - tested
  if (trained < 1 || validated < 1) {
    const shared =
      settings.validation === undefined
        ? 'lower --window or --horizon'
        : 'choose another --validation, or lower --window or --horizon'
    throw new UsageError(
      `${csv} has ${length} windows, of which ${Math.max(0, trained)} would train, ${validated} validate and ${tested} test; ${shared}`,
    )
  }
  const scales = columnScales(table, {
    columns: [...new Set([...inputs, ...target])],
    end: trained + window + horizon - 1,
  })
  const constant = target.find(
    (name) => new Set(table.column(name).subarray(0, trained + window + horizon - 1)).size === 1,
  )
  if (constant !== undefined) {
    throw new UsageError(
      `${csv}: all numbers of ${constant} in the rows that train are ${table.column(constant)[0]}, so there is nothing to forecast; choose another --target`,
    )
  }
  const madeFrom = { rows: table.rows, digest: digestOf(table) }
  const facts: SeriesFacts = { columns: inputs, target, window, horizon, scales, madeFrom }
  const series = seriesOf(table, facts)
  return {
    samples: trained,
    loaders(generator) {
      const part = (start: number, end: number) =>
        new DataLoader(subset(series, start, end), { batchSize: TEST_BATCH_SIZE })
      return {
        train: new DataLoader(subset(series, 0, trained), { batchSize, shuffle: true, generator }),
        validation: part(trained, trained + validated),
        test: part(trained + validated, length),
      }
    },
    makeModel: (generator) =>
      makeNet(settings, { inputSize: inputs.length, numClasses: horizon * target.length }, generator),
    loss,
    metrics: forecastMetrics(),
    decisive: { scales, trainingData: madeFrom.digest },
    metadata: { task: 'forecast', ...facts, ...(settings.loss && { loss: settings.loss }) },
    header: [
      `${table.rows} rows; ${trained} windows of ${window} rows train, the ${validated} after them validate, the last ${tested} test`,
      `reads ${inputs.join(', ')}; forecasts ${target.join(', ')}, ${horizon === 1 ? 'the next row' : `the next ${horizon} rows`}`,
    ],
    shown: (result) => forecast(result, facts),
    line: (name, result) => forecastLine(name, result, facts),
  }
}

function testedOf(length: number): number {
  return Math.max(1, Math.floor(TEST_SHARE * length))
}

/**
 * The windows of a table that a model is tested on: all, but of the table that it was made from only those that were kept for this, and
 * those of rows that were added since.
 */
export function testedWindows(table: Table, facts: SeriesFacts): ReturnType<typeof subset<WindowBatch>> {
  const { madeFrom, window, horizon } = facts
  const all = seriesOf(table, facts)
  if (madeFrom === undefined || table.rows < madeFrom.rows || digestOf(table, madeFrom.rows) !== madeFrom.digest)
    return all
  const known = madeFrom.rows - window - horizon + 1
  return subset(all, known - testedOf(known), all.length)
}

/** The windows that a model reads. */
export function seriesOf(table: Table, { columns, target, window, horizon, scales }: SeriesFacts): WindowDataset {
  return windows(table, { columns, target, window, horizon, scales })
}

/** An evaluation as the program shows it; the error is in units of the column where there is one. */
export function forecast({ loss, samples, metrics }: TestResult<ForecastMetrics>, { target, scales }: SeriesFacts) {
  const unit = target.length === 1 ? scales[target[0]].std : 1
  return { loss, total: samples, meanAbsoluteError: metrics.meanAbsoluteError * unit, r2: metrics.r2 }
}

/** The line for people. */
export function forecastLine(name: string, result: TestResult<ForecastMetrics>, facts: SeriesFacts): string {
  const { loss, meanAbsoluteError: error, r2: share, total } = forecast(result, facts)
  const unit = facts.target.length === 1 ? ` (of ${facts.target[0]})` : ' (in standard deviations)'
  return `${name}: Average loss: ${loss.toFixed(4)}, mean absolute error: ${Number(error.toPrecision(4))}${unit}, R²: ${share.toFixed(4)}, ${total} windows`
}

/** Of the first rows of a table. */
function digestOf(table: Table, rows = table.rows): string {
  const hash = createHash('sha256')
  for (const name of table.columns) hash.update(name).update(new Uint8Array(table.column(name).slice(0, rows).buffer))
  return `sha256:${hash.digest('hex')}`
}
