import { drawChart, escapeHtml, figure, page, table } from '@rowwise/charts'
import { importancesOf, type Row, type SweepState } from '@rowwise/sweep'
import { curves, importances, parallelCoordinates } from './charts'
import { found, short, statusLine } from './show'

/** A sweep as one page that needs no other file and runs no script. */
export async function reportPage(state: SweepState): Promise<string> {
  const done = state.rows.filter(({ status }) => status === 'done')
  const explained = importancesOf(state)
  const specs = [parallelCoordinates(state.sweep, done), curves(state.sweep, done), importances(explained)]
  const figures = await Promise.all(
    specs
      .filter((spec) => spec !== null)
      .map(async ({ spec, ...chart }) => figure({ ...chart, svg: await drawChart(chart.title, spec) })),
  )
  return page(`rowwise sweep: ${state.sweep.name}`, [
    `<p>${escapeHtml(statusLine(state))}</p>`,
    `<p><code>${escapeHtml(JSON.stringify(state.sweep))}</code></p>`,
    ...figures,
    table({ title: 'Trials', head: headOf(state), rows: state.rows.map((row) => lineOf(row, state)), left: 0 }),
  ])
}

function headOf({ sweep }: SweepState): string[] {
  return ['trial', 'epochs', sweep.objective.metric, ...Object.keys(sweep.space), 'seconds', 'attempts', 'weights']
}

function lineOf(row: Row, { sweep }: SweepState): string[] {
  const values = Object.keys(sweep.space).map((name) => short(row.config[name]))
  const objective = row.objective === null ? found(row, sweep.objective.metric) : short(row.objective)
  const facts = [row.seconds.toFixed(1), String(row.attempts), row.weights?.slice(0, 12) ?? '']
  return [String(row.trial), String(row.epochs), objective, ...values, ...facts]
}
