import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CompleteSweep, importancesOf, runSweep, type SweepState } from '@rowwise/sweep'
import { FAILURE, UsageError } from '../exit'
import { writeOutput } from '../run/write-output'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { stopOnSignal } from '../stop-on-signal'
import { pathOfJob } from '../sweep/path-of-job'
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
  if (isLocal && module === undefined) process.env.ROWWISE_JOBS_HOME = directoryOf(path)
  if (module === undefined) requireData(definition, isLocal)
  tellOfHalving(definition)
  const engine = await engineOf(flags, { directory, isUsers: module !== undefined })
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

/** Refuses data that are not there, before a trial looks for them; workers of a queue have their own. */
function requireData({ fixed }: CompleteSweep, isLocal: boolean): void {
  const { train } = fixed as { train: Partial<Record<string, unknown>> }
  if (train.csv !== undefined && (train.window === undefined || train.target === undefined)) {
    throw new UsageError(
      'train.csv wants train.window, how many rows are read, and train.target, a list of columns; add both',
    )
  }
  for (const name of ['data', 'images', 'csv']) {
    const path = train[name]
    if (!isLocal || typeof path !== 'string' || existsSync(pathOfJob(name, path))) continue
    throw new UsageError(
      `train.${name} is ${path}, and ${pathOfJob(name, path)} is not there; paths are read from the sweep's file`,
    )
  }
}

/** Says that a halving has too few trials for one of them to be trained in full. */
function tellOfHalving({ search, epochs }: CompleteSweep): void {
  if (search.type !== 'halving') return
  const { trials, minEpochs = 1, eta = 3 } = search
  let [needed, part] = [1, epochs]
  for (; Math.floor(part / eta) >= minEpochs; part = Math.floor(part / eta)) needed *= eta
  if (needed === 1) {
    console.error(
      `rowwise: nothing is halved: ${epochs} epochs are fewer than ${eta} times the ${minEpochs} that each trial has; raise epochs, or lower eta`,
    )
    return
  }
  if (trials >= needed) return
  console.error(
    `rowwise: of ${trials} trials none is trained for all ${epochs} epochs; that wants ${needed} trials, or a smaller ratio of epochs to minEpochs`,
  )
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
      await writeOutput('--weights', flags.weights, bytes)
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
