import { UsageError } from '../exit'
import { optionOf } from '../show/option-name'
import { RunDirectory } from './run-directory'
import { savedSettings } from './saved-settings'
import { checkSettings, type RunSettings, settingsOf, type TrainFlags } from './settings'

/** What may be another in a resumed run. */
const MAY_CHANGE: readonly string[] = ['epochs', 'data', 'images', 'csv', 'source'] satisfies (keyof RunSettings)[]

/**
 * Takes the run's directory; the settings are those of the flags, with --resume those that the run was begun with, unless a flag says
 * otherwise where it may.
 */
export async function openRun(
  flags: TrainFlags,
  isGiven: (name: string) => boolean,
): Promise<{ settings: RunSettings; run: RunDirectory; isResumed: boolean }> {
  const given = settingsOf(flags)
  if (flags.resume === undefined) {
    checkSettings(given)
    return { settings: given, run: await RunDirectory.create(flags.out, flags.force ?? false), isResumed: false }
  }
  if (flags.out !== undefined || flags.force) {
    throw new UsageError(`--resume goes on in ${flags.resume}; leave out --out and --force`)
  }
  const { run, config } = await RunDirectory.open(flags.resume)
  try {
    const settings = resumedSettings(flags.resume, config, given, isGiven)
    const done = await run.epochsDone()
    if (settings.epochs < done)
      throw new UsageError(`--epochs is ${settings.epochs}, the run in ${flags.resume} has done ${done}; pass more`)
    return { settings, run, isResumed: true }
  } catch (error) {
    await run.close()
    throw error
  }
}

function resumedSettings(
  path: string,
  config: unknown,
  given: RunSettings,
  isGiven: (name: string) => boolean,
): RunSettings {
  const saved = savedSettings.safeParse(config)
  if (!saved.success) {
    const [{ path: field, message }] = saved.error.issues
    throw new UsageError(`${path}/config.json: ${field.join('.')}: ${message}; it was altered, so start a new run`)
  }
  const settings: RunSettings = saved.data
  for (const name of Object.keys(given) as (keyof RunSettings)[]) {
    if (!isGiven(name) || String(given[name]) === String(settings[name])) continue
    if (!MAY_CHANGE.includes(name)) {
      throw new UsageError(
        `${optionOf(name)} is ${given[name]}, the run in ${path} has ${settings[name]}; leave it out, or start a new run`,
      )
    }
    Object.assign(settings, { [name]: given[name] })
  }
  return settings
}

/** The command that goes on with a run, as the user would type it. */
export function resumeCommand(path: string): string {
  const quoted = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
  return `${process.env.ROWWISE_COMMAND || 'rowwise train'} --resume ${quoted}`
}
