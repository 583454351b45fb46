import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { openForSaving, syncFile } from '@rowwise/atomic-file'

const FLUSH_BYTES = 1 << 14

/** A record of the metrics, as far as a resumed run looks at it. */
export interface MetricsRecord {
  type?: string
  epoch?: number
  batch?: number
}

/** The numbers of every step and epoch, a JSON object a line, buffered. */
export class MetricsLog {
  private buffered = ''

  private constructor(private readonly handle: FileHandle) {}

  /** Opens the log, and takes back from its first record on that is not to be kept, which will come again. */
  static async open(file: string, isKept: (record: MetricsRecord) => boolean): Promise<MetricsLog> {
    const { O_RDWR, O_CREAT, O_APPEND } = constants
    const handle = await openForSaving(file, O_RDWR | O_CREAT | O_APPEND)
    const content = await handle.readFile()
    let end = 0
    for (let next = content.indexOf(10); next >= 0; next = content.indexOf(10, end)) {
      if (!isKeptLine(content.toString('utf8', end, next), isKept)) break
      end = next + 1
    }
    await handle.truncate(end)
    return new MetricsLog(handle)
  }

  /** Adds a record; what is returned need be waited for only when it is a promise. */
  add(record: object): Promise<void> | undefined {
    this.buffered += `${JSON.stringify(record)}\n`
    return this.buffered.length > FLUSH_BYTES ? this.flush() : undefined
  }

  /** Writes out what is buffered. */
  async flush(): Promise<void> {
    const text = this.buffered
    this.buffered = ''
    if (text !== '') await this.handle.appendFile(text)
  }

  /** Writes out what is buffered so that it survives a power cut. */
  async sync(): Promise<void> {
    await this.flush()
    await syncFile(this.handle)
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.handle.close()
    }
  }
}

function isKeptLine(line: string, isKept: (record: MetricsRecord) => boolean): boolean {
  try {
    return isKept(JSON.parse(line))
  } catch {
    return false // cut in the middle
  }
}
