import { drawChart } from '@rowwise/charts'
import type { Report } from '../report/report'
import { captionOf, OURS, PEERS, panelsOf, throughputSpec } from './throughput-chart'

/** A picture of a report. */
export interface Chart {
  name: 'throughput' | 'latency' | 'growth' | 'training'
  title: string
  caption: string
  svg: string
}

interface Spec extends Omit<Chart, 'svg'> {
  spec: object
}

/** Draws the charts that a report has data for, as SVG that takes the colour of the text around it. */
export async function drawCharts(report: Report): Promise<Chart[]> {
  const specs = [throughput(report), latency(report), growth(report), training(report)].filter((spec) => spec !== null)
  return Promise.all(specs.map(async ({ spec, ...rest }) => ({ ...rest, svg: await drawChart(rest.title, spec) })))
}

/** The throughput chart as a file, which paints its own background: light, or dark where the reader prefers that. */
export async function drawThroughputFile(report: Report): Promise<string> {
  const chart = throughput(report)
  if (chart === null) throw new Error('nothing was measured that could be drawn')
  const svg = await drawChart(chart.title, chart.spec)
  return `${svg.replace(/<svg [^>]*>/, (tag) => `${tag}${CARD}`)}\n`
}

const CARD = `<style>
svg { color: #1f2328; } .card { fill: #ffffff; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; } .card { fill: #0d1117; } }
</style><rect class="card" width="100%" height="100%" rx="8"/>`

function throughput({ rows }: Report): Spec | null {
  const panels = panelsOf(rows)
  if (panels.length === 0) return null
  const spec = throughputSpec(panels)
  return { name: 'throughput', title: 'Samples per second', caption: captionOf(panels), spec }
}

/** Single steps of the subjects in the throughput chart. */
function latency({ rows }: Report): Spec | null {
  const [panel] = panelsOf(rows)
  const values = (panel?.bars ?? []).flatMap(({ subject, isOurs, sample }) =>
    sample.map((milliseconds) => ({ subject, isOurs, milliseconds })),
  )
  if (panel === undefined || values.length === 0) return null
  const workload = `${panel.kind === 'train' ? 'a training step' : 'a prediction'}, batch ${panel.batch}`
  const spec = {
    width: 560,
    height: { step: 24 },
    data: { values },
    mark: { type: 'point', filled: true, opacity: 0.35, size: 18 },
    encoding: {
      y: { field: 'subject', title: null, sort: null },
      x: {
        field: 'milliseconds',
        type: 'quantitative',
        scale: { zero: true },
        axis: { tickCount: 6 },
        title: `milliseconds of ${workload}`,
      },
      color: { field: 'isOurs', scale: { domain: [true, false], range: [OURS, PEERS] }, legend: null },
    },
  }
  return {
    name: 'latency',
    title: 'Distribution of step times',
    caption: 'A point is one step. Rowwise is blue, its peers are grey.',
    spec,
  }
}

/** One panel for each size: a straight line towards zero is linear growth. */
function growth({ growth: series }: Report): Spec | null {
  const panel = ({ of, exponent }: (typeof series)[number]): string => `${of}, exponent ${exponent.toFixed(2)}`
  const values = series.flatMap((one) => one.points.map(({ size, ms }) => ({ of: panel(one), size, milliseconds: ms })))
  if (values.length === 0) return null
  const spec = {
    data: { values },
    facet: { field: 'of', title: null, sort: series.map(panel) },
    columns: 2,
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 250,
      height: 160,
      mark: { type: 'line', point: { color: OURS }, color: OURS },
      encoding: {
        x: {
          field: 'size',
          type: 'quantitative',
          scale: { zero: true },
          axis: { tickMinStep: 1, tickCount: 5 },
          title: 'size',
        },
        y: { field: 'milliseconds', type: 'quantitative', scale: { zero: true }, title: 'ms of a training step' },
      },
    },
  }
  return {
    name: 'growth',
    title: 'How a training step grows',
    caption: `${series[0].subject}. With time steps (T), batch (N), hidden size (H) and layers; time is size to the power of the exponent.`,
    spec,
  }
}

function training({ curves }: Report): Spec | null {
  const values = curves.flatMap(({ subject, losses }) => losses.map((loss, step) => ({ subject, step, loss })))
  if (values.length === 0) return null
  const spec = {
    width: 560,
    height: 260,
    data: { values },
    mark: { type: 'line', color: OURS, opacity: 0.6 },
    transform: [{ window: [{ op: 'mean', field: 'loss', as: 'mean' }], frame: [-10, 10], groupby: ['subject'] }],
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'training step' },
      y: { field: 'mean', type: 'quantitative', scale: { zero: true }, title: 'loss, mean of 21 steps' },
      detail: { field: 'subject' },
    },
  }
  return {
    name: 'training',
    title: 'Training curves',
    caption: `One line for each of ${curves.map(({ subject }) => subject).join('; ')}. All start from the same seed.`,
    spec,
  }
}
