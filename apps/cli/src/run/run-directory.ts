import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '@rowwise/atomic-file'
import { UsageError } from '../exit'

const WEIGHTS = 'model.safetensors'
const METRICS = 'metrics.jsonl'
const CONFIG = 'config.json'
const CHECKPOINTS = 'checkpoints'
const FLUSH_BYTES = 1 << 14

/** Where a training run leaves its settings, metrics, checkpoints and weights. */
export class RunDirectory {
  private metrics = ''
  private metricsFile: number | null = null

  private constructor(readonly path: string) {}

  /** Makes the directory; without a name the next free one under `runs/`. Never over an earlier run, unless forced. */
  static async create(path: string | undefined, force: boolean): Promise<RunDirectory> {
    const directory = path ?? (await nextFree())
    const files = [WEIGHTS, METRICS, CONFIG, CHECKPOINTS].map((file) => join(directory, file))
    if (!force && files.some(existsSync)) {
      throw new UsageError(
        `${directory} already holds a run; go on with it by --resume ${directory}, choose another --out, or replace it with --force`,
      )
    }
    try {
      for (const file of files) rmSync(file, { force: true, recursive: true })
      await mkdir(directory, { recursive: true })
    } catch (cause) {
      throw new UsageError(`${directory} cannot be made: ${(cause as Error).message}; choose another --out`, { cause })
    }
    return new RunDirectory(directory)
  }

  /** Opens the directory of a run that was begun, and reads its settings. */
  static open(path: string): { run: RunDirectory; config: unknown } {
    const file = join(path, CONFIG)
    try {
      return { run: new RunDirectory(path), config: JSON.parse(readFileSync(file, 'utf8')) }
    } catch (cause) {
      throw new UsageError(
        `${path} holds no run to resume: ${(cause as Error).message}; pass the directory that \`train\` named`,
        { cause },
      )
    }
  }

  /** Where the checkpoints lie. */
  get checkpoints(): string {
    return join(this.path, CHECKPOINTS)
  }

  async writeConfig(config: object): Promise<void> {
    await writeFileAtomically(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
  }

  /** Saves the weights; returns the file's path. */
  async writeWeights(bytes: Uint8Array): Promise<string> {
    const path = join(this.path, WEIGHTS)
    await writeFileAtomically(path, bytes)
    return path
  }

  /** Takes back the metrics of what came after a checkpoint, which will come again. */
  keepMetrics(isKept: (record: { type?: string; epoch?: number; batch?: number }) => boolean): void {
    const file = openSync(join(this.path, METRICS), 'a+')
    const content = readFileSync(file)
    let end = 0
    for (let next = content.indexOf(10); next >= 0; next = content.indexOf(10, end)) {
      if (!isKeptLine(content.toString('utf8', end, next), isKept)) break
      end = next + 1
    }
    ftruncateSync(file, end)
    this.metricsFile = file
  }

  /** Adds a line to the metrics, buffered. */
  addMetrics(record: object): void {
    this.metrics += `${JSON.stringify(record)}\n`
    if (this.metrics.length > FLUSH_BYTES) this.flush()
  }

  /** Writes out the buffered metrics. */
  flush(): void {
    this.metricsFile ??= openSync(join(this.path, METRICS), 'w')
    writeSync(this.metricsFile, this.metrics)
    this.metrics = ''
  }

  /** Writes out the buffered metrics so that they survive a power cut. */
  sync(): void {
    this.flush()
    fsyncSync(this.metricsFile as number)
  }

  close(): void {
    this.flush()
    if (this.metricsFile !== null) closeSync(this.metricsFile)
    this.metricsFile = null
  }
}

function isKeptLine(line: string, isKept: Parameters<RunDirectory['keepMetrics']>[0]): boolean {
  try {
    return isKept(JSON.parse(line))
  } catch {
    return false // cut in the middle
  }
}

/** Makes the next free directory; two runs that start at once get one each. */
async function nextFree(): Promise<string> {
  await mkdir('runs', { recursive: true })
  for (let number = 1; ; number++) {
    const path = join('runs', String(number))
    try {
      await mkdir(path)
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
