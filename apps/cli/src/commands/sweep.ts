import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomically } from '@rowwise/atomic-file'
import { importancesOf, runSweep, type SweepState } from '@rowwise/sweep'
import { FAILURE, UsageError } from '../exit'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { stopOnSignal } from '../stop-on-signal'
import { jsonRows, peopleRows, rowJson, short, statusLine, tableText } from '../sweep/show'
import { directoryOf, readSweepFile } from '../sweep/sweep-file'
import { connectionOf, engineOf, readSweep, type WhereFlags } from '../sweep/where'

/** The flags of `rowwise sweep`. */
export interface SweepFlags extends WhereFlags {
  json?: boolean
}

/** `rowwise sweep`: searches hyper-parameters, on this machine or on those that serve a queue. */
export async function sweep(path: string, flags: SweepFlags): Promise<void> {
  const began = performance.now()
  const { sweep: definition, module } = await readSweepFile(path)
  if (module) process.env.ROWWISE_SWEEP_MODULE = module
  const isLocal = connectionOf(flags) === undefined
  const directory = flags.out ?? join('sweeps', definition.name)
  const engine = await engineOf(flags, { directory, isUsers: module !== undefined })
  if (isLocal && module === undefined) process.env.ROWWISE_JOBS_HOME = directoryOf(path)
  const stop = stopOnSignal()
  const { metric } = definition.objective
  const shown = flags.json ? { onRow: jsonRows, stop: () => {} } : peopleRows(metric)
  try {
    const table = await runSweep(definition, { engine, onRow: shown.onRow, signal: stop.signal })
    shown.stop()
    const seconds = (performance.now() - began) / 1000
    const { best, complete, epochs, rows } = table
    const where = isLocal ? directory : `${definition.name} of Redis`
    if (flags.json) {
      printJson({ type: 'end', complete, trials: rows.length, epochs, seconds, best: best && rowJson(best) })
    } else {
      print(tableText(table))
      const words = complete ? 'Done' : 'Stopped; the same command goes on'
      print(`${words}: ${rows.length} trials, ${epochs} epochs in ${duration(seconds)}; in ${where}`)
    }
    if (!complete) process.exitCode = stop.exitCode()
    else if (best === null) process.exitCode = FAILURE
  } finally {
    shown.stop()
    stop.dispose()
  }
}

/** `rowwise sweep status`: how far a sweep is. */
export async function status(name: string, flags: SweepFlags): Promise<void> {
  const { state, queue } = await readSweep(name, flags)
  const { done, given, total, complete, best, sweep: definition } = state
  const failed = state.rows.filter((row) => row.status === 'failed').length
  if (flags.json) {
    printJson({ name: definition.name, complete, done, given, total, failed, queue, best: best && rowJson(best) })
    return
  }
  print(statusLine(state))
  if (failed > 0) print(`${failed} trials failed`)
  if (queue) print(`the queue: ${queue.waiting} jobs wait, ${queue.active} are under way`)
}

/** `rowwise sweep best`: the best trial's settings and numbers, and its weights. */
export async function best(name: string, flags: SweepFlags & { weights?: string }): Promise<void> {
  const { state, fetch } = await readSweep(name, flags)
  const row = bestOf(state, name)
  if (flags.weights !== undefined) {
    const place = join(await mkdtemp(join(tmpdir(), 'rowwise-best-')), 'files')
    try {
      const bytes =
        (await fetch(`${row.trial}@${row.epochs}`, place)) &&
        (await readFile(join(place, 'model.safetensors')).catch(() => null))
      if (!bytes)
        throw new UsageError(
          `the weights of trial ${row.trial} of ${name} are not there; leave out --weights, or pass --files if the machines share a directory`,
        )
      await writeFileAtomically(flags.weights, bytes)
    } finally {
      await rm(join(place, '..'), { recursive: true, force: true })
    }
  }
  if (flags.json) printJson({ ...rowJson(row), ...(flags.weights && { file: flags.weights }) })
  else {
    print(`trial ${row.trial}, ${row.epochs} epochs`)
    for (const [key, value] of Object.entries({ ...row.config, ...row.metrics })) print(`  ${key} ${short(value)}`)
    if (flags.weights) print(`weights in ${flags.weights}`)
  }
}

function bestOf(state: SweepState, name: string) {
  if (state.best) return state.best
  throw new UsageError(`no trial of ${name} is done; see rowwise sweep status ${name}`)
}

/** `rowwise sweep export`: all rows as CSV, JSON, a page with pictures, or event files for TensorBoard. */
export async function exportSweep(
  name: string,
  { to, tensorboard, ...flags }: SweepFlags & { to?: string; tensorboard?: string },
): Promise<void> {
  const { state } = await readSweep(name, flags)
  if (tensorboard !== undefined) {
    await (await import('../sweep/tensorboard')).writeTensorBoard(state, tensorboard)
    if (!flags.json) print(`event files in ${tensorboard}`)
    if (to === undefined) return
  }
  if (to === undefined) {
    printJson({ sweep: state.sweep, complete: state.complete, importances: importancesOf(state), rows: state.rows })
    return
  }
  const { writeExport } = await import('../sweep/export')
  await writeExport(state, to)
  if (flags.json) printJson({ file: to })
  else print(`${state.rows.length} trials in ${to}`)
}
