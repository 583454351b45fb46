import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf } from '@rowwise/errors'
import { type CompleteSweep, checkSweep, type Dimension, type Sweep } from '@rowwise/sweep'
import { UsageError } from '../exit'
import { checkSearched, trainSettings } from './train-settings'

/** What a sweep's file says. */
export interface SweepFile {
  sweep: CompleteSweep
  /** The file itself, where it exports its own `trial`. */
  module?: string
}

const FIELDS = ['name', 'train', 'space', 'search', 'epochs', 'objective', 'seed', 'fixed']
const CODE = ['.ts', '.mts', '.js', '.mjs']

/**
 * Reads a sweep: a JSON file, or a module whose default export is one. A module may export its own `trial`; otherwise networks are
 * trained as `rowwise train` does, with `train` for what all trials share.
 *
 * @throws {@link UsageError}, and what `@rowwise/sweep` says of the sweep.
 */
export async function readSweepFile(path: string): Promise<SweepFile> {
  const isCode = CODE.includes(extname(path))
  const { definition, hasTrial } = isCode ? await importSweep(path) : await parseSweep(path)
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    throw new UsageError(
      `${path} has no sweep${isCode ? ' as its default export' : ''}, expected an object with ${FIELDS.join(', ')}`,
    )
  }
  const stray = Object.keys(definition).find((name) => !FIELDS.includes(name))
  if (stray) throw new UsageError(`${path} has '${stray}', expected some of ${FIELDS.join(', ')}`)
  const { train, ...sweep } = definition as { train?: Record<string, unknown> } & Sweep
  const name = sweep.name ?? basename(path, extname(path)).replace(/\.sweep$/, '')
  if (hasTrial) {
    if (train !== undefined)
      throw new UsageError(`${path} exports a trial of its own, which 'train' is not for; call it fixed`)
    return { sweep: checkSweep({ ...sweep, name }), module: pathToFileURL(resolve(path)).href }
  }
  if (isCode && train === undefined) {
    throw new UsageError(
      `${path} exports no function 'trial', and has no 'train' for a training; export one, or add train: {}`,
    )
  }
  return { sweep: trainingSweep(path, { ...sweep, name }, train ?? {}) }
}

/** A sweep over trainings of `rowwise train`. */
function trainingSweep(path: string, sweep: Sweep, train: Record<string, unknown>): CompleteSweep {
  const parsed = trainSettings.safeParse(train)
  if (!parsed.success) {
    const [{ path: field, message }] = parsed.error.issues
    throw new UsageError(
      `${path}: ${['train', ...field].join('.')}: ${message}; settings are named as in docs/scale, columns are lists`,
    )
  }
  if (sweep.fixed !== undefined) throw new UsageError(`${path}: fixed is for a trial of your own; call it train`)
  const isSeries = parsed.data.csv !== undefined
  const usual = isSeries
    ? ({ metric: 'loss', better: 'lower' } as const)
    : ({ metric: 'accuracy', better: 'higher' } as const)
  const { objective = usual, epochs = 10 } = sweep
  const complete = checkSweep({ ...sweep, objective, epochs, fixed: { train: parsed.data, epochs } })
  for (const [name, dimension] of Object.entries(complete.space)) {
    for (const value of endsOf(dimension)) checkSearched({ [name]: value })
    if (Object.hasOwn(train, name))
      throw new UsageError(`${path}: ${name} is in train and in space, which searches for it; leave one out`)
  }
  requireMetric(complete.objective.metric, isSeries)
  return complete
}

/** Numbers that a training reports. */
function requireMetric(metric: string, isSeries: boolean): void {
  const known = ['loss', 'trainLoss', ...(isSeries ? ['meanAbsoluteError', 'r2'] : ['accuracy'])]
  if (known.includes(metric)) return
  throw new UsageError(`objective.metric is ${metric}, a training reports ${known.join(', ')}; choose one of them`)
}

/** Values that stand for all of a dimension: its choices, or its ends and, of an interval, one between that is not whole. */
function endsOf(dimension: Dimension): readonly unknown[] {
  const [values] = Object.values(dimension) as (readonly unknown[])[]
  if ('choice' in dimension || 'int' in dimension) return values
  const [low, high] = values as [number, number]
  return [low, low + (high - low) / Math.E, high]
}

async function parseSweep(path: string): Promise<{ definition: unknown; hasTrial: boolean }> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}; pass a sweep as .json, .ts or .js`, { cause })
  })
  try {
    return { definition: JSON.parse(text), hasTrial: false }
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

async function importSweep(path: string): Promise<{ definition: unknown; hasTrial: boolean }> {
  const { importModule } = await import('./import-module')
  const found = await importModule(resolve(path)).catch((cause) => {
    throw new UsageError(`${path} cannot be loaded: ${reasonOf(cause)}`, { cause })
  })
  return { definition: found.default, hasTrial: typeof found.trial === 'function' }
}

/** Where a sweep's file is: its paths are read from there. */
export function directoryOf(path: string): string {
  return dirname(resolve(path))
}
