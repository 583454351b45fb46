import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../exit'
import { writeFileAtomically } from './atomic-file'

const WEIGHTS = 'model.safetensors'
const METRICS = 'metrics.jsonl'
const CONFIG = 'config.json'
const FLUSH_BYTES = 1 << 14

/** Where a training run leaves its settings, metrics and weights. */
export class RunDirectory {
  private metrics = ''
  private metricsFile: number | null = null

  private constructor(readonly path: string) {}

  /** Makes the directory; without a name the next free one under `runs/`. Never over an earlier run, unless forced. */
  static async create(path: string | undefined, force: boolean): Promise<RunDirectory> {
    const directory = path ?? nextFree()
    if (!force && [WEIGHTS, METRICS, CONFIG].some((file) => existsSync(join(directory, file)))) {
      throw new UsageError(`${directory} already holds a run; choose another --out, or replace it with --force`)
    }
    try {
      await mkdir(directory, { recursive: true })
    } catch (cause) {
      throw new UsageError(`${directory} cannot be made: ${(cause as Error).message}; choose another --out`, { cause })
    }
    return new RunDirectory(directory)
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

  close(): void {
    this.flush()
    if (this.metricsFile !== null) closeSync(this.metricsFile)
    this.metricsFile = null
  }
}

function nextFree(): string {
  let number = 1
  while (existsSync(join('runs', String(number)))) number += 1
  return join('runs', String(number))
}
