import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import type { Outcome } from '@rowwise/sweep'
import Papa from 'papaparse'
import { UsageError } from '../exit'
import { placeOf } from '../run/write-output'
import type { PictureRow } from './pictures'
import type { ForecastRow } from './series'

type Format = 'csv' | 'jsonl'
type Row = PictureRow | ForecastRow

/** How a file is written, by its name. */
export function formatOf(file: string): Format {
  const ending = /\.(\w+)$/.exec(file)?.[1]
  if (ending === 'csv' || ending === 'jsonl') return ending
  throw new UsageError(`--out is ${file}, expected a name that ends in .csv or .jsonl`)
}

/** The rows of shards, each in a file until all are there: there may be more than memory holds. */
export class Parts {
  rows = 0
  /** Rows that say why there is no prediction. */
  errors = 0
  private header = ''

  constructor(
    private readonly directory: string,
    private readonly format: Format,
  ) {}

  async add({ key, value }: Outcome): Promise<void> {
    const rows = (value?.rows ?? []) as Row[]
    this.rows += rows.length
    this.errors += rows.filter((row) => 'error' in row && row.error !== null).length
    await mkdir(this.directory, { recursive: true })
    await writeFileAtomically(this.fileOf(key), this.textOf(rows))
  }

  /** Writes all rows in the order of these shards, as a whole or not at all. */
  async join(file: string, keys: readonly string[]): Promise<void> {
    const place = await placeOf('--out', file)
    const temporary = place.isFile ? `${place.path}.${process.pid}.${randomUUID()}.tmp` : place.path
    try {
      const handle = await open(temporary, place.isFile ? 'wx' : 'w')
      try {
        await handle.appendFile(this.header)
        for (const key of keys) await handle.appendFile(await readFile(this.fileOf(key)))
        await handle.sync().catch(() => {}) // a file system may have no such call
      } finally {
        await handle.close()
      }
      if (place.isFile) await rename(temporary, place.path)
    } catch (cause) {
      if (place.isFile) await rm(temporary, { force: true })
      throw new UsageError(
        `--out ${file} cannot be written: ${reasonOf(cause)}; the shards are kept: run the same command again`,
        { cause },
      )
    }
  }

  private fileOf(key: string): string {
    return join(this.directory, `${key}.${this.format}`)
  }

  private textOf(rows: readonly Row[]): string {
    if (rows.length === 0) return ''
    if (this.format === 'jsonl') return `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
    const flatRows = rows.map(flat)
    this.header = `${Papa.unparse([Object.keys(flatRows[0])])}\n`
    return `${Papa.unparse(flatRows, { header: false, newline: '\n' })}\n`
  }
}

/** A row as columns. */
function flat(row: Row): Record<string, unknown> {
  if ('file' in row) {
    const { file, prediction, probabilities, error } = row
    const probability = prediction === null ? null : probabilities?.[prediction]
    return { file, prediction, probability, error }
  }
  const columns = Object.entries(row.forecast).flatMap(([name, values]) =>
    values.map((value, t): [string, number] => [values.length === 1 ? name : `${name}+${t + 1}`, value]),
  )
  return { row: row.row, ...Object.fromEntries(columns) }
}
