import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { INTERRUPTED, SLOWER, UsageError } from '../exit'
import { measureCurves } from '../run/curves'
import { type Entrants, entrantsOf } from '../run/entrants'
import { measureGrowth } from '../run/growth'
import { commandLine, describeMachine, measurePeak } from '../run/machine'
import { measureAll, type Plan } from '../run/measure-all'
import { measurePrograms } from '../run/programs'
import { Quietness } from '../run/quietness'
import { changesSince } from '../run/ratios'
import { type OldReport, oldReport, type Report, SCHEMA } from '../run/report'
import { drawCharts } from '../show/charts'
import { renderPage } from '../show/page'
import { ProgressLine } from '../show/progress-line'
import { renderMarkdown, renderTable } from '../show/table'
import { changesTable, machineLine, quietLine, type Table, tablesOf } from '../show/tables'
import { type NetworkShape, REFERENCE_NETWORK, type Workload } from '../workload'

/** The flags of `rowwise-bench`. */
export interface CompareFlags extends Entrants {
  batch: number[]
  hiddenSize: number
  numLayers: number
  sequence: 'rows' | 'pixels' | 'permuted'
  grow: string[]
  program: number
  seconds?: number
  patience?: number
  json?: boolean
  markdown?: boolean
  html?: string
  charts?: string
  save?: string
  compare?: string
}

/** Measuring time when none is given: enough for stable medians of ours, or of everybody. */
const DEFAULT_SECONDS = { own: 40, peers: 170 }

/** `rowwise-bench`: everyone who runs here, in turn. */
export async function compare(flags: CompareFlags): Promise<void> {
  const old = flags.compare === undefined ? null : await readOld(flags.compare)
  const interruption = new AbortController()
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(INTERRUPTED)
    interruption.abort()
  })
  const { signal } = interruption
  const progress = new ProgressLine()
  const onProgress = (text: string): void => progress.show(text)
  const network = networkOf(flags)
  const { contestants, absent } = await entrantsOf(flags)
  const { seconds = flags.peers ? DEFAULT_SECONDS.peers : DEFAULT_SECONDS.own } = flags
  onProgress('looking how quiet the machine is')
  const { patience = seconds } = flags
  const quietness = await Quietness.watch(Math.max(...flags.threads), patience, signal)
  try {
    const report = await measure(flags, { contestants, absent }, { network, seconds, quietness, signal, onProgress })
    progress.clear()
    await show(report, old, flags)
  } finally {
    quietness.end()
  }
  if (signal.aborted) process.exitCode = INTERRUPTED
}

/** Everything that the flags ask for, one after the other. */
async function measure(
  flags: CompareFlags,
  { contestants, absent }: Awaited<ReturnType<typeof entrantsOf>>,
  how: Omit<Plan, 'workloads' | 'permuted' | 'peakGflops'>,
): Promise<Report> {
  const { network, quietness, signal, onProgress } = how
  const quiet = (): Promise<unknown> => quietness.wait(() => onProgress('waiting until nothing else uses the machine'))
  const peakGflops = await measurePeak(quiet)
  const plan = { ...how, permuted: flags.sequence === 'permuted', peakGflops }
  const workloads = (['train', 'predict'] as const).flatMap((kind) =>
    flags.batch.map((batch): Workload => ({ kind, batch })),
  )
  const outcome = await measureAll(contestants, { ...plan, workloads })
  const wantsCharts = flags.html !== undefined || flags.charts !== undefined
  const sizes = flags.grow.length > 0 ? flags.grow : wantsCharts ? ['T', 'N', 'H', 'layers'] : []
  const growth = signal.aborted ? [] : await measureGrowth(sizes, contestants, plan)
  const epochs = signal.aborted ? 0 : flags.program
  const whole = await measurePrograms({ ...flags, epochs, threads: Math.max(...flags.threads), quiet, onProgress })
  return {
    schema: SCHEMA,
    command: commandLine(),
    machine: describeMachine(),
    network,
    peakGflops,
    quiet: quietness.report,
    ...outcome,
    absent: [...absent, ...outcome.absent, ...whole.absent],
    growth,
    programs: whole.programs,
    curves: wantsCharts && !signal.aborted ? await measureCurves(contestants, onProgress) : [],
  }
}

async function show(report: Report, old: OldReport | null, flags: CompareFlags): Promise<void> {
  const changes = old ? changesSince(old, report.rows) : []
  const tables = [...tablesOf(report), ...(old ? [changesTable(changes)] : [])]
  if (flags.save !== undefined) await writeFile(flags.save, `${JSON.stringify(report)}\n`)
  if (flags.html !== undefined) await writeFile(flags.html, await renderPage(report))
  if (flags.charts !== undefined) {
    for (const { name, svg } of await drawCharts(report)) {
      await writeFile(join(flags.charts, `${name}.svg`), onWhite(svg))
    }
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...report, changes })}\n`)
  else process.stdout.write(`${texts(report, tables, flags.markdown ?? false).join('\n\n')}\n`)
  if (changes.some(({ verdict }) => verdict === 'slower')) process.exitCode = SLOWER
}

function texts(report: Report, tables: Table[], isMarkdown: boolean): string[] {
  const draw = ({ title, head, rows, left }: Table): string =>
    isMarkdown ? `**${title}**\n\n${renderMarkdown(head, rows, left)}` : `${title}\n${renderTable(head, rows, left)}`
  const absent = report.absent.map(({ contestant, reason }) => `${isMarkdown ? '- ' : '  '}${contestant}: ${reason}`)
  return [
    [machineLine(report), quietLine(report)].join('\n'),
    ...tables.map(draw),
    ...(absent.length > 0 ? [`not measured:\n${absent.join('\n')}`] : []),
    `made by: ${report.command}`,
  ]
}

/** A picture for a page of unknown colour. */
function onWhite(svg: string): string {
  return svg.replace(/<svg ([^>]*)>/, '<svg $1 color="#222"><rect width="100%" height="100%" fill="white"/>')
}

function networkOf({ hiddenSize, numLayers, sequence }: CompareFlags): NetworkShape {
  const steps = sequence === 'rows' ? {} : { time: 784, inputSize: 1 }
  return { ...REFERENCE_NETWORK, hiddenSize, numLayers, ...steps }
}

async function readOld(path: string): Promise<OldReport> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${cause.message}; make one with --save`, { cause })
  })
  try {
    return oldReport.parse(JSON.parse(text))
  } catch (cause) {
    throw new UsageError(`${path} is no report of this version (schema ${SCHEMA}); make a new one with --save`, {
      cause,
    })
  }
}
