import { type CompleteSweep, type Dimension, positionOf, type Row } from '@rowwise/sweep'
import { short } from './show'

/** A chart that is to be drawn. */
interface Chart {
  id: string
  title: string
  caption: string
  /** Vega-Lite. */
  spec: object
}

/** A value's place on an axis, with its name there. */
interface Tick {
  axis: string
  at: number
  label: string
}

/** Colours from bad to good, as people with any eyes tell them apart. */
const SCHEME = 'viridis'

/** An axis per hyper-parameter and one for the objective; a line per trial. */
export function parallelCoordinates({ space, objective }: CompleteSweep, rows: readonly Row[]): Chart | null {
  const found = rows.map((row) => Number(row.objective))
  const [low, high] = [Math.min(...found), Math.max(...found)]
  if (rows.length === 0) return null
  const axes = [...Object.keys(space), objective.metric]
  const lines = rows.flatMap((row) => [
    ...Object.entries(space).map(([axis, dimension]) => ({
      ...{ axis, at: positionOf(dimension, row.config[axis]), place: axes.indexOf(axis) },
      ...{ trial: row.trial, found: row.objective },
    })),
    {
      axis: objective.metric,
      place: axes.length - 1,
      at: high === low ? 0.5 : (Number(row.objective) - low) / (high - low),
      trial: row.trial,
      found: row.objective,
    },
  ])
  const ticks: Tick[] = [
    ...Object.entries(space).flatMap(([axis, dimension]) => ticksOf(axis, dimension)),
    { axis: objective.metric, at: 0, label: short(low) },
    ...(high === low ? [] : [{ axis: objective.metric, at: 1, label: short(high) }]),
  ]
  const x = {
    field: 'axis',
    type: 'nominal',
    sort: axes,
    title: null,
    axis: { labelAngle: 0, grid: true },
    scale: { padding: 0.4 },
  }
  const y = { field: 'at', type: 'quantitative', axis: null, scale: { domain: [-0.05, 1.05] } }
  const spec = {
    width: Math.max(400, 130 * axes.length),
    height: 320,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'line', opacity: 0.6, strokeWidth: 1.2 },
        encoding: {
          x,
          y,
          detail: { field: 'trial' },
          color: colour(objective),
          order: { field: 'place', type: 'quantitative' },
        },
      },
      {
        data: { values: ticks },
        mark: { type: 'text', align: 'right', dx: -6, color: 'currentColor', fontSize: 11 },
        encoding: { x, y, text: { field: 'label' } },
      },
    ],
  }
  const caption = `A line per trial, from its settings to its ${objective.metric}; ${objective.better} is better.`
  return { id: 'parallel', title: 'Settings and what came of them', caption, spec }
}

function ticksOf(axis: string, dimension: Dimension): Tick[] {
  const values = 'choice' in dimension ? dimension.choice : Object.values(dimension)[0]
  return (values as (string | number)[]).map((value) => ({
    axis,
    at: positionOf(dimension, value),
    label: short(value),
  }))
}

/** The objective of each epoch; a line per trial. */
export function curves({ objective }: CompleteSweep, rows: readonly Row[]): Chart | null {
  const values = rows.flatMap(({ trial, history, objective: found }) =>
    history.map((numbers, k) => ({ trial, found, epoch: numbers.epoch ?? k + 1, value: numbers[objective.metric] })),
  )
  const known = values.filter(({ value }) => Number.isFinite(value))
  if (known.length === 0) return null
  const spec = {
    width: 560,
    height: 280,
    data: { values: known },
    mark: { type: 'line', opacity: 0.6, strokeWidth: 1.2, point: { size: 12 } },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', axis: { tickMinStep: 1 }, title: 'epoch' },
      y: { field: 'value', type: 'quantitative', scale: { zero: false }, title: objective.metric },
      detail: { field: 'trial' },
      color: colour(objective),
    },
  }
  return { id: 'curves', title: 'Learning curves', caption: 'A line per trial, as far as it was trained.', spec }
}

/** How much of the objective each hyper-parameter explains. */
export function importances(explained: Readonly<Record<string, number | null>>): Chart | null {
  const values = Object.entries(explained).flatMap(([name, share]) => (share === null ? [] : [{ name, share }]))
  if (values.length === 0) return null
  const spec = {
    width: 560,
    height: { step: 24 },
    data: { values },
    mark: { type: 'bar', color: '#3b82c4' },
    encoding: {
      y: { field: 'name', title: null, sort: '-x' },
      x: {
        field: 'share',
        type: 'quantitative',
        scale: { domain: [0, 1] },
        axis: { format: '%' },
        title: 'explained alone',
      },
    },
  }
  const caption =
    'The share of the variance between trials that a setting explains by itself (ε²); what two do together is in none.'
  return { id: 'importance', title: 'What mattered', caption, spec }
}

function colour({ metric, better }: CompleteSweep['objective']): object {
  return {
    field: 'found',
    type: 'quantitative',
    title: metric,
    legend: { type: 'gradient' },
    scale: { scheme: SCHEME, reverse: better === 'lower' },
  }
}
