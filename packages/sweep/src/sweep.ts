import { Generator } from '@rowwise/torch-random'
import { requirePlain } from './checks'
import { isSetName } from './engine'
import { SweepDefinitionError } from './errors'
import { checkSpace, type Space, show } from './space'

/** How configurations are chosen. */
export type Search = GridSearch | RandomSearch | SobolSearch | HalvingSearch

/** Every combination of choices and whole numbers. */
export interface GridSearch {
  /** Tells it from the others. */
  readonly type: 'grid'
}

/** Independent draws. */
export interface RandomSearch {
  /** Tells it from the others. */
  readonly type: 'random'
  /** How many configurations are tried. */
  readonly trials: number
}

/** Scrambled Sobol points, those of `torch.quasirandom.SobolEngine`, which leave smaller gaps than random ones. */
export interface SobolSearch {
  /** Tells it from the others. */
  readonly type: 'sobol'
  /** How many configurations are tried. */
  readonly trials: number
}

/**
 * Asynchronous successive halving: every configuration, drawn at random, is trained for a few epochs; of those that were trained as
 * far, the best of each `eta` go on to `eta` times the epochs, as soon as there are enough to tell, until some were trained in full.
 * Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), Algorithm 2.
 */
export interface HalvingSearch {
  /** Tells it from the others. */
  readonly type: 'halving'
  /** How many configurations are tried. */
  readonly trials: number
  /** The first part of a trial is not shorter. @default 1 */
  readonly minEpochs?: number
  /** One of so many goes on. @default 3 */
  readonly eta?: number
  /**
   * Jobs that are under way at once. Each decision follows from the outcomes of all jobs but the last so many, in the order in
   * which they were given out; so a sweep comes out the same on any number of machines, and more than this find nothing to do.
   * @default 16
   */
  readonly pending?: number
}

/** What is to be found, as plain data. */
export interface Sweep {
  /** Names it in a store. */
  readonly name: string
  /** Where configurations are looked for. */
  readonly space: Space
  /** How they are chosen. */
  readonly search: Search
  /** Epochs of a full training. @default 1 */
  readonly epochs?: number
  /** Which number of a report is the best. */
  readonly objective: Objective
  /** Of the search's draws and of every trial. @default 0 */
  readonly seed?: number
  /** What else decides the results, such as the data set, as plain data: a sweep is taken up again only with the same. */
  readonly fixed?: Readonly<Record<string, unknown>>
}

/** The number that a sweep looks for the best of. */
export interface Objective {
  /** Its name in the reports. */
  readonly metric: string
  /** Which values are wanted. */
  readonly better: 'lower' | 'higher'
}

/** A sweep with its defaults filled in. */
export type CompleteSweep = Required<Sweep>

/** A sweep's settings are compared by their text, so nothing else may be in them. */
const FIELDS = ['name', 'space', 'search', 'epochs', 'objective', 'seed', 'fixed']
const SEARCH_FIELDS: Readonly<Record<string, readonly string[]>> = {
  grid: ['type'],
  random: ['type', 'trials'],
  sobol: ['type', 'trials'],
  halving: ['type', 'trials', 'minEpochs', 'eta', 'pending'],
}

/** More trials than anyone runs; a number over it is a mistake. */
export const MAX_TRIALS = 1_000_000

/**
 * Checks a sweep and fills in its defaults.
 *
 * @throws {@link SweepDefinitionError} that names the field, what was found and what was expected.
 */
export function checkSweep(sweep: unknown): CompleteSweep {
  if (typeof sweep !== 'object' || sweep === null || Array.isArray(sweep)) {
    throw new SweepDefinitionError(`the sweep is ${show(sweep)}, expected an object with ${FIELDS.join(', ')}`)
  }
  refuseUnknown('the sweep', sweep, FIELDS)
  const { name, space, search, epochs = 1, objective, seed = 0, fixed = {} } = sweep as Sweep
  if (!isSetName(name)) {
    throw new SweepDefinitionError(
      `name is ${show(name)}, expected up to 64 letters, digits, '.', '_' and '-', such as mnist-lr`,
    )
  }
  checkSpace(space)
  if (!isCount(epochs)) throw new SweepDefinitionError(`epochs is ${show(epochs)}, expected an integer of at least 1`)
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new SweepDefinitionError(`seed is ${show(seed)}, expected an integer of at least 0`)
  }
  checkSearch(search, epochs)
  checkObjective(objective)
  if (typeof fixed !== 'object' || fixed === null || Array.isArray(fixed)) {
    throw new SweepDefinitionError(`fixed is ${show(fixed)}, expected an object`)
  }
  requirePlain('fixed', fixed)
  return { name, space: inOrder(space), search, epochs, objective, seed, fixed }
}

/** By name, so that what is drawn does not depend on the order in which the dimensions were written. */
function inOrder(space: Space): Space {
  return Object.fromEntries(Object.entries(space).sort(([one], [other]) => (one < other ? -1 : 1)))
}

function checkSearch(search: unknown, epochs: number): asserts search is Search {
  const { type, trials } = (search ?? {}) as { type?: unknown; trials?: unknown }
  if (typeof type !== 'string' || !Object.hasOwn(SEARCH_FIELDS, type)) {
    throw new SweepDefinitionError(
      `search is ${show(search)}, expected { type: 'grid' } or { type: 'random', 'sobol' or 'halving', trials }`,
    )
  }
  refuseUnknown('search', search as object, SEARCH_FIELDS[type])
  if (type === 'grid') return
  if (!isCount(trials) || trials > MAX_TRIALS) {
    throw new SweepDefinitionError(`search.trials is ${show(trials)}, expected an integer from 1 to ${MAX_TRIALS}`)
  }
  if (type !== 'halving') return
  const { minEpochs = 1, eta = 3, pending = 16 } = search as { minEpochs?: number; eta?: number; pending?: number }
  if (!isCount(minEpochs) || minEpochs > epochs) {
    throw new SweepDefinitionError(
      `search.minEpochs is ${show(minEpochs)}, expected an integer from 1 to epochs, ${epochs}`,
    )
  }
  if (!isCount(eta) || eta < 2) {
    throw new SweepDefinitionError(`search.eta is ${show(eta)}, expected an integer of at least 2`)
  }
  if (!isCount(pending)) {
    throw new SweepDefinitionError(`search.pending is ${show(pending)}, expected an integer of at least 1`)
  }
}

function checkObjective(objective: unknown): asserts objective is Objective {
  const { metric, better } = (objective ?? {}) as Partial<Objective>
  if (typeof metric !== 'string' || metric === '' || (better !== 'lower' && better !== 'higher')) {
    throw new SweepDefinitionError(
      `objective is ${show(objective)}, expected { metric: 'accuracy', better: 'higher' } or the like`,
    )
  }
  refuseUnknown('objective', objective as object, ['metric', 'better'])
}

function refuseUnknown(owner: string, found: object, known: readonly string[]): void {
  const stray = Object.keys(found).find((name) => !known.includes(name))
  if (stray === undefined) return
  throw new SweepDefinitionError(`${owner} has no '${stray}', expected some of ${known.join(', ')}`)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

/** The stream that a sweep's configurations are drawn from. */
export function drawsOf({ seed }: CompleteSweep): Generator {
  return new Generator(seed)
}
