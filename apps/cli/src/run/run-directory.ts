import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkCanSave, makeDirectory, writeFileAtomically } from '@rowwise/atomic-file'
import { DirectoryInUseError, DirectoryLock } from '@rowwise/directory-lock'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'
import { MetricsLog, type MetricsRecord } from './metrics-log'
import { savedSettings } from './saved-settings'

const WEIGHTS = 'model.safetensors'
const METRICS = 'metrics.jsonl'
const CONFIG = 'config.json'
const CHECKPOINTS = 'checkpoints'
const TENSORBOARD = 'tensorboard'
const MANIFEST = 'manifest.json'

/** Where runs without a name go, numbered. */
const RUNS = 'runs'

/** Where a training run leaves its settings, metrics, checkpoints and weights. One program at a time has it. */
export class RunDirectory {
  private log: MetricsLog | null = null
  private hasBegun = false

  private constructor(
    readonly path: string,
    private readonly lock: DirectoryLock,
    /** Directories that were made for this run, the outermost first. */
    private readonly made: readonly string[],
  ) {}

  /**
   * Takes a directory for a new run, and sees that it can be written; without a name the next free one under `runs/`. What an earlier
   * run left there is replaced in {@link RunDirectory.begin} at the earliest, and only when forced.
   */
  static async create(path: string | undefined, force: boolean): Promise<RunDirectory> {
    if (path?.trim() === '')
      throw new UsageError('--out is empty; name a directory, or leave it out for runs/1, runs/2, …')
    const { directory, made } = await makeRunDirectory(path)
    const run = new RunDirectory(directory, await take(directory), made)
    const stranger = await strangerIn(directory)
    if (stranger !== undefined) {
      await run.abandon()
      throw new UsageError(`${directory} has ${stranger}, which is no run's; choose another directory with --out`)
    }
    if (force || !FILES.some((file) => existsSync(join(directory, file)))) return run
    await run.abandon()
    throw new UsageError(
      `${directory} already holds a run; go on with it by --resume ${directory}, choose another --out, or replace it with --force`,
    )
  }

  /** Takes the directory of a run that was begun, and reads its settings. */
  static async open(path: string): Promise<{ run: RunDirectory; config: unknown }> {
    const config = await readConfig(path)
    if (!existsSync(join(path, CHECKPOINTS, MANIFEST))) {
      throw new UsageError(
        `${path} has no checkpoint to resume from (${join(path, CHECKPOINTS)} is missing or empty); ` +
          'start a new run in another directory, or with --out and --force in this one',
      )
    }
    return { run: new RunDirectory(path, await take(path), []), config }
  }

  /** Where the checkpoints are. */
  get checkpoints(): string {
    return join(this.path, CHECKPOINTS)
  }

  /** Removes what an earlier run left, which `--force` allowed; for a new run, before its first file. */
  async removeEarlierRun(): Promise<void> {
    for (const file of FILES) await rm(join(this.path, file), { force: true, recursive: true })
  }

  /** Writes the settings, and opens the metrics: from here on the directory holds a run. */
  async begin(config: object, isKept: (record: MetricsRecord) => boolean): Promise<void> {
    this.hasBegun = true
    await writeFileAtomically(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
    this.log = await MetricsLog.open(join(this.path, METRICS), isKept)
  }

  /** Epochs that a run was trained for, by its metrics. */
  async epochsDone(): Promise<number> {
    const text = await readFile(join(this.path, METRICS), 'utf8').catch(() => '')
    const epochs = [...text.matchAll(/^\{"type":"epoch","epoch":(\d+)/gm)].map(([, epoch]) => Number(epoch))
    return Math.max(0, ...epochs)
  }

  /** The metrics of the run that has begun. */
  get metrics(): MetricsLog {
    if (this.log === null) throw new Error('the run has not begun')
    return this.log
  }

  /** Saves the weights; returns the file's path. */
  async writeWeights(bytes: Uint8Array): Promise<string> {
    const path = join(this.path, WEIGHTS)
    await writeFileAtomically(path, bytes)
    return path
  }

  /** Closes the metrics and gives the directory back; one that was made for a run that never began goes too. */
  async close(): Promise<void> {
    try {
      await this.log?.close()
    } finally {
      this.log = null
      await this.abandon()
    }
  }

  private async abandon(): Promise<void> {
    await this.lock.release()
    if (this.hasBegun) return
    for (const directory of [...this.made].reverse()) await rmdir(directory).catch(() => {}) // not empty: somebody else's
  }
}

const FILES: readonly string[] = [WEIGHTS, METRICS, CONFIG, CHECKPOINTS, TENSORBOARD]

/** What a run leaves in its directories. */
const OWN: Readonly<Record<string, RegExp>> = {
  [CHECKPOINTS]: /^(manifest\.json|.+-(weights|training)\.safetensors|lock-\d+\.json|.+\.tmp)$/,
  [TENSORBOARD]: /^events\.out\.tfevents\./,
}

/** What systems leave in any directory. */
const OF_SYSTEMS: readonly string[] = ['.DS_Store', 'Thumbs.db', 'desktop.ini']

/** A file with the name of a run's file that no run wrote, so --force must not remove it. */
async function strangerIn(directory: string): Promise<string | undefined> {
  for (const [name, own] of Object.entries(OWN)) {
    const path = join(directory, name)
    const entries = await readdir(path).catch((error) =>
      (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? [''] : [],
    )
    const stranger = entries.find((entry) => !own.test(entry) && !OF_SYSTEMS.includes(entry))
    if (stranger !== undefined) return join(name, stranger)
  }
  // A run's settings may be damaged; then its metrics or its checkpoints show that it is one.
  const isRun = [METRICS, join(CHECKPOINTS, MANIFEST)].some((name) => existsSync(join(directory, name)))
  if (isRun || savedSettings.safeParse(await readConfig(directory).catch(() => undefined)).success) return undefined
  return [CONFIG, WEIGHTS].find((name) => existsSync(join(directory, name)))
}

async function makeRunDirectory(path: string | undefined): Promise<{ directory: string; made: string[] }> {
  try {
    return path === undefined ? await nextFree() : { directory: path, made: await makeDirectory(path) }
  } catch (cause) {
    throw new UsageError(`${describe(path)} cannot be made: ${reasonOf(cause)}; choose another directory with --out`, {
      cause,
    })
  }
}

function describe(path: string | undefined): string {
  return path === undefined ? `the default output directory ${RUNS}/` : `--out ${path}`
}

async function take(directory: string): Promise<DirectoryLock> {
  try {
    await checkCanSave(directory)
    return await DirectoryLock.require(directory)
  } catch (cause) {
    if (cause instanceof DirectoryInUseError) throw cause
    throw new UsageError(
      `the output directory ${directory} cannot be written: ${reasonOf(cause)}; choose another with --out, or make it writable`,
      { cause },
    )
  }
}

async function readConfig(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(path, CONFIG), 'utf8'))
  } catch (cause) {
    throw new UsageError(
      `${path} holds no run to resume: ${reasonOf(cause)}; pass the directory that \`train\` named`,
      {
        cause,
      },
    )
  }
}

/** Makes the next free directory; two runs that start at once get one each. */
async function nextFree(): Promise<{ directory: string; made: string[] }> {
  const above = await makeDirectory(RUNS)
  for (let number = 1; ; number++) {
    const directory = join(RUNS, String(number))
    try {
      await mkdir(directory)
      return { directory, made: [...above, directory] }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
