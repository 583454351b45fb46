import type { Trial } from '@rowwise/sweep'
import { UsageError, WrongWorkerError } from '../exit'
import { savedSettings } from '../run/saved-settings'
import { checkSettings, type RunSettings } from '../run/settings'
import { pathOfJob } from './path-of-job'

/** What `train` of a sweep's file may say: any setting of `rowwise train`, but how long. */
export const trainSettings = savedSettings.omit({ epochs: true, scheduleEpochs: true, seed: true }).partial().strict()

/** Settings that are names of files, and so are not for a search to choose. */
const PATHS = ['data', 'images', 'csv'] as const

/** What a search may choose. */
const SEARCHED = savedSettings
  .omit({ epochs: true, scheduleEpochs: true, data: true, images: true, csv: true, variant: true, source: true })
  .partial()
  .strict()

/** As `rowwise train` has them. */
const DEFAULTS = {
  ...{ batchSize: 64, lr: 1e-3, optimizer: 'Adam', cell: 'lstm', hiddenSize: 64, numLayers: 1, bidirectional: false },
  dropout: 0,
} as const

/** A sweep is steered by data that the test is not made with. */
const DEFAULT_VALIDATION = 0.1

/**
 * The settings of a trial's training.
 *
 * @throws {@link UsageError} that names the setting.
 */
export function settingsOfTrial({ config, fixed, seed }: Trial): RunSettings {
  const { train, epochs } = fixed
  if (!isTraining(fixed)) {
    throw new WrongWorkerError('its sweep has a trial of its own; start the worker with --module and that file')
  }
  const given = checked(trainSettings, train, 'train')
  const chosen = checked(SEARCHED, withTextSeed(config), 'config')
  const scheduleEpochs = Number(epochs)
  const settings = {
    ...DEFAULTS,
    validation: DEFAULT_VALIDATION,
    ...given,
    ...{ epochs: scheduleEpochs, scheduleEpochs, seed: String(seed) },
    ...chosen,
  } as RunSettings
  if (settings.numLayers === 1) settings.dropout = 0 // it acts between layers, and a search may try one
  for (const name of PATHS) if (settings[name] !== undefined) settings[name] = pathOfJob(name, settings[name])
  checkSettings(settings)
  return settings
}

/** Whether a sweep's trials are trainings of ours. A file that exports its own `trial` shares other settings. */
export function isTraining({ train, epochs }: Trial['fixed']): boolean {
  return typeof train === 'object' && train !== null && typeof epochs === 'number'
}

/** Refuses a space in which a value cannot be a setting, before anything is run. */
export function checkSearched(config: Readonly<Record<string, unknown>>): void {
  checked(SEARCHED, withTextSeed(config), 'space')
}

/** A search chooses numbers; a run's seed has 64 bits, and so is text. */
function withTextSeed(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typeof config.seed === 'number' ? { ...config, seed: String(config.seed) } : config
}

function checked<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: Issue[] } } },
  value: unknown,
  owner: string,
): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [{ path, message, code, keys }] = parsed.error.issues
  if (code === 'unrecognized_keys') {
    throw new UsageError(
      `${owner} has '${keys?.[0]}', which is not a setting of a training; use names such as lr, batchSize, hiddenSize`,
    )
  }
  throw new UsageError(`${[owner, ...path].join('.')}: ${message}`)
}

interface Issue {
  path: PropertyKey[]
  message: string
  code?: string
  keys?: string[]
}
