import type { Report } from '../run/report'

/** A picture of a report. */
export interface Chart {
  name: 'throughput' | 'growth' | 'latency' | 'training'
  title: string
  svg: string
}

/** Draws the charts that a report has data for, as SVG that takes the colour of the text around it. */
export async function drawCharts(report: Report): Promise<Chart[]> {
  const specs = [throughput(report), latency(report), growth(report), training(report)].filter((spec) => spec !== null)
  return Promise.all(specs.map(async ({ name, title, spec }) => ({ name, title, svg: await draw(title, spec) })))
}

interface Spec {
  name: Chart['name']
  title: string
  spec: object
}

const CONFIG = {
  background: null,
  font: 'system-ui, sans-serif',
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    domainColor: '#888',
    tickColor: '#888',
    gridColor: '#8884',
  },
  legend: { labelColor: 'currentColor', titleColor: 'currentColor', labelLimit: 0 },
  header: { labelColor: 'currentColor', titleColor: 'currentColor' },
  view: { stroke: null },
  range: { category: ['#3b82f6', '#f59e0b', '#10b981', '#ef4444', '#a855f7', '#64748b', '#14b8a6', '#ec4899'] },
}

async function draw(title: string, spec: object): Promise<string> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')])
  const { spec: compiled } = compile({ ...spec, config: CONFIG } as unknown as Parameters<typeof compile>[0])
  const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG()
  return svg.replace('<svg ', `<svg role="img" aria-label="${title}" `)
}

function throughput({ rows }: Report): Spec | null {
  const values = rows.map(({ contestant, kind, batch, samplesPerSecond }) => ({
    contestant,
    kind: kind === 'train' ? 'training' : 'prediction',
    batch: `batch ${batch}`,
    order: batch,
    samplesPerSecond,
  }))
  const spec = {
    data: { values },
    facet: { column: { field: 'kind', title: null, sort: ['training', 'prediction'] } },
    spec: {
      width: 300,
      height: { step: 9 },
      mark: { type: 'bar', clip: true },
      encoding: {
        y: { field: 'contestant', title: null, sort: { field: 'samplesPerSecond', op: 'max', order: 'descending' } },
        yOffset: { field: 'batch', sort: { field: 'order' } },
        x: {
          field: 'samplesPerSecond',
          type: 'quantitative',
          scale: { type: 'log', domainMin: 10 },
          title: 'samples/s (log)',
        },
        x2: { datum: 10 },
        color: { field: 'batch', sort: { field: 'order' }, title: null },
      },
    },
  }
  return values.length > 0 ? { name: 'throughput', title: 'Throughput by contestant and batch', spec } : null
}

/** Every step of the quicker half would hide in a corner beside the slowest peer, so the axis is logarithmic. */
function latency({ rows }: Report): Spec | null {
  const wanted = rows.some(({ kind, batch }) => kind === 'train' && batch === 64) ? 64 : rows[0]?.batch
  const values = rows
    .filter(({ kind, batch }) => kind === 'train' && batch === wanted)
    .flatMap(({ contestant, sample }) => sample.map((ms) => ({ contestant, ms })))
  const spec = {
    width: 600,
    height: { step: 22 },
    data: { values },
    mark: { type: 'point', filled: true, opacity: 0.35, size: 18 },
    encoding: {
      y: { field: 'contestant', title: null, sort: { field: 'ms', op: 'median' } },
      x: {
        field: 'ms',
        type: 'quantitative',
        scale: { type: 'log' },
        title: `milliseconds of a training step, batch ${wanted} (log)`,
      },
      color: { field: 'contestant', legend: null },
    },
  }
  return values.length > 0 ? { name: 'latency', title: 'Distribution of step times', spec } : null
}

function growth({ growth: series }: Report): Spec | null {
  const values = series.flatMap(({ of, exponent, points }) =>
    points.map(({ size, ms }) => ({
      series: `${of}, exponent ${exponent.toFixed(2)}`,
      times: size / points[0].size,
      ms,
    })),
  )
  const spec = {
    width: 600,
    height: 300,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'times',
        type: 'quantitative',
        scale: { type: 'log', base: 2 },
        title: 'size, as a multiple of the smallest',
      },
      y: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'milliseconds of a training step' },
      color: { field: 'series', title: null },
    },
  }
  return values.length > 0 ? { name: 'growth', title: 'How a training step grows', spec } : null
}

function training({ curves }: Report): Spec | null {
  const values = curves.flatMap(({ contestant, losses }) => losses.map((loss, step) => ({ contestant, step, loss })))
  const spec = {
    width: 600,
    height: 300,
    data: { values },
    mark: { type: 'line' },
    transform: [{ window: [{ op: 'mean', field: 'loss', as: 'mean' }], frame: [-10, 10], groupby: ['contestant'] }],
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'training step' },
      y: { field: 'mean', type: 'quantitative', title: 'loss, mean of 21 steps' },
      color: { field: 'contestant', title: null },
    },
  }
  return values.length > 0 ? { name: 'training', title: 'Training curves', spec } : null
}
