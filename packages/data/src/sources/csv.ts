import { refuseUnknownOptions } from '@rowwise/errors'
import Papa from 'papaparse'
import { CSVError, LoaderOptionError } from '../errors'
import { type ByteSource, chunksOf, nameOf } from './bytes'
import type { ReadOptions, ReadProgress } from './progress'
import type { Table } from './table'

/** More rows than that are not read, lest a file fill the memory: 8 columns of them take 6 GB. */
const MAX_ROWS = 100_000_000

/** Rows that there is space for at first. */
const FIRST_ROWS = 1 << 14

/** How {@link readCSV} reads. */
export interface CSVOptions extends ReadOptions {
  /** The columns to read, by the names in the header. @default all of them */
  columns?: readonly string[]
  /** What is between two values. @default ',' */
  delimiter?: string
  /** Most rows that are read. @default 100 000 000 */
  maxRows?: number
}

/**
 * Reads a CSV file with a header (RFC 4180: values may stand in double quotes), every value a number. The file is never in memory as a whole.
 *
 * @param source the name of a file, its bytes, a `Blob`, or chunks of them
 * @throws {@link CSVError} with file, line and column when a row has more or fewer values than the header, a value is missing or not a finite
 * number, a wanted column is not there, another separator seems to be in use, or there are no rows; {@link DataNotFoundError} when the file
 * cannot be read; {@link LoaderOptionError} for an option that cannot be; the reason of `signal`.
 * @example
 * ```ts
 * const table = await readCSV('prices.csv', { columns: ['open', 'close'] })
 * console.log(table.rows, table.column('close')[0])
 * ```
 */
export async function readCSV(source: ByteSource, options: CSVOptions = {}): Promise<Table> {
  const known = { columns: true, delimiter: true, maxRows: true, onProgress: true, signal: true } as const
  refuseUnknownOptions('readCSV()', options, known, LoaderOptionError)
  const { delimiter = ',', maxRows = MAX_ROWS } = options
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || '"\n\r'.includes(delimiter)) {
    throw new LoaderOptionError(
      `delimiter is ${JSON.stringify(delimiter)}, expected one character that is no quote and no line's end`,
    )
  }
  if (!Number.isInteger(maxRows) || maxRows < 1) {
    throw new LoaderOptionError(`maxRows is ${maxRows}, expected an integer of at least 1`)
  }
  const reader = new TableReader(nameOf(source), delimiter, maxRows, options.columns)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const textOf = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined })
    } catch (cause) {
      throw new CSVError(`${nameOf(source)}: after line ${reader.line}: is not UTF-8 text; save it as UTF-8`, { cause })
    }
  }
  const onProgress = (progress: ReadProgress): void => {
    options.onProgress?.(progress)
    reader.share = progress.total ? progress.done / progress.total : undefined
  }
  let rest = ''
  for await (const chunk of chunksOf(source, { signal: options.signal, onProgress })) {
    rest = reader.take(rest + (typeof chunk === 'string' ? chunk : textOf(chunk)), false)
  }
  reader.take(rest + textOf(), true)
  return reader.table()
}

/** Gathers the numbers of rows, in arrays that are as long as the file will need, as far as that can be foreseen. */
class TableReader {
  /** Lines that were read. */
  line = 0
  /** The share of the file that is read, with the rows that are being taken; undefined where that is not known. */
  share: number | undefined
  private newline: '\n' | '\r' | undefined
  private header: string[] | undefined
  private wanted: { name: string; place: number }[] = []
  private rows = 0
  private numbers: Float64Array[] = []

  constructor(
    private readonly name: string,
    private readonly delimiter: string,
    private readonly maxRows: number,
    private readonly columns: readonly string[] | undefined,
  ) {}

  /** Reads the rows of a text, and gives back what follows the last whole one. */
  take(given: string, isLast: boolean): string {
    // Files that several programs wrote to end their lines in both ways.
    const lines = given.includes('\r\n') ? given.replaceAll('\r\n', '\n') : given
    const text = this.line === 0 ? lines.replace(/^\uFEFF/, '') : lines
    // Papa's parser wants ends of lines whole, and leaves a last row alone that may go on in the next chunk.
    const whole = isLast ? text : text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole === '') return text
    this.newline ??= endOfLine(whole)
    const { delimiter, newline } = this
    const parser = new Papa.Parser({ delimiter, newline } as Papa.ParseConfig)
    const { data, errors, meta } = parser.parse(whole, 0, !isLast) as Papa.ParseResult<string[]>
    if (errors.length > 0) {
      const { message, row = 0 } = errors[0]
      throw new CSVError(`${this.name}:${this.line + row + 1}: ${message}; check the quotes`)
    }
    for (const row of data) this.add(row)
    return isLast ? '' : text.slice(meta.cursor)
  }

  table(): Table {
    if (this.header === undefined) throw new CSVError(`${this.name}: is empty, expected a header and rows of numbers`)
    if (this.rows === 0) throw new CSVError(`${this.name}: has a header but no row; add rows of numbers`)
    const { rows, name, wanted, numbers } = this
    const isTight = numbers[0].length <= 1.1 * rows
    const columns = new Map(
      wanted.map((column, at) => [column.name, isTight ? numbers[at].subarray(0, rows) : numbers[at].slice(0, rows)]),
    )
    return {
      name,
      rows,
      columns: [...columns.keys()],
      column(wantedName) {
        const values = columns.get(wantedName)
        if (values) return values
        throw new LoaderOptionError(
          `${name} has no column '${wantedName}', expected one of ${[...columns.keys()].join(', ')}`,
        )
      },
    }
  }

  private add(row: string[]): void {
    this.line += 1
    if (row.length === 1 && row[0].trim() === '') return // an empty line
    if (this.header === undefined) {
      this.begin(row)
      return
    }
    const { header } = this
    if (row.length !== header.length) {
      throw new CSVError(
        `${this.name}:${this.line}: has ${row.length} values, expected ${header.length}: ${header.join(', ')}${this.separatorHint(row)}`,
      )
    }
    if (this.rows >= this.maxRows) {
      throw new CSVError(
        `${this.name}:${this.line}: more than ${this.maxRows} rows; raise maxRows if there is memory for them`,
      )
    }
    if (this.rows === (this.numbers[0]?.length ?? 0)) this.makeSpace()
    for (let k = 0; k < this.wanted.length; k++) {
      const text = row[this.wanted[k].place]
      const value = Number(text)
      if (!Number.isFinite(value) || text.trim() === '' || isRadix(text)) this.refuse(text, this.wanted[k].name)
      this.numbers[k][this.rows] = value
    }
    this.rows += 1
  }

  /** Space for the whole file where its size is known, else for half as many rows again. */
  private makeSpace(): void {
    const { rows, share } = this
    const foreseen = rows > 0 && share ? Math.ceil((1.03 * rows) / share) : 0
    const space = Math.min(Math.max(foreseen, Math.ceil(1.5 * rows), FIRST_ROWS), this.maxRows)
    this.numbers = this.wanted.map((_, k) => {
      const longer = new Float64Array(space)
      if (this.numbers[k]) longer.set(this.numbers[k])
      return longer
    })
  }

  private begin(row: string[]): void {
    const header = row.map((name) => name.trim())
    const hint = this.separatorHint(row)
    if (header.length === 1 && hint) throw new CSVError(`${this.name}:1: the header is one column${hint}`)
    if (header.every((name) => name !== '' && Number.isFinite(Number(name)))) {
      throw new CSVError(`${this.name}:1: the first line has numbers, expected a header; name the columns in it`)
    }
    const twice = header.find((name, place) => header.indexOf(name) !== place)
    if (twice !== undefined) throw new CSVError(`${this.name}:1: the header has '${twice}' twice; rename one of both`)
    const names = this.columns ?? header
    if (names.length === 0) throw new LoaderOptionError('columns is empty, expected one name or more')
    this.wanted = names.map((name) => {
      const place = header.indexOf(name)
      if (place >= 0) return { name, place }
      throw new CSVError(`${this.name}:1: there is no column '${name}', expected one of ${header.join(', ')}${hint}`)
    })
    this.header = header
  }

  private refuse(text: string, column: string): never {
    const where = `${this.name}:${this.line}: ${column}`
    if (text.trim() === '') throw new CSVError(`${where} has no value; fill it in, or leave the row out`)
    const hint = /^-?\d+,\d+$/.test(text.trim())
      ? 'write it with a point'
      : `write a number, or name the columns to read without ${column}`
    throw new CSVError(`${where} is ${JSON.stringify(text.slice(0, 40))}, expected a finite number; ${hint}`)
  }

  /** Which other separator a row seems to have. */
  private separatorHint(row: string[]): string {
    const text = row.join(this.delimiter)
    const others = [',', ';', '\t', '|'].filter((other) => other !== this.delimiter && text.includes(other))
    return others.length > 0 ? `; is the separator ${JSON.stringify(others[0])}? pass it as delimiter` : ''
  }
}

/** Whether it is a number of another base, as 0x10, which JavaScript reads and other programs do not. */
function isRadix(text: string): boolean {
  return text.length > 2 && text.charCodeAt(0) === ZERO && /^0[xbo]/i.test(text)
}

const ZERO = 48

/** What ends the first line, and so every line. */
function endOfLine(text: string): '\n' | '\r' {
  return !text.includes('\n') && text.includes('\r') ? '\r' : '\n'
}
