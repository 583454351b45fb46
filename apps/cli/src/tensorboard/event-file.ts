import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeDirectory } from '@rowwise/atomic-file'
import { bytes, double, integer, message } from './protobuf'

/**
 * A file of events as TensorBoard reads them: records of TensorFlow's TFRecord format (length, its CRC, data, their CRC), each an `Event` of
 * tensorflow/core/util/event.proto.
 */
export class EventFile {
  private buffered: Uint8Array[] = []

  private constructor(private readonly handle: FileHandle) {}

  /** Makes a new file in a directory; TensorBoard reads all that are there. */
  static async create(directory: string): Promise<EventFile> {
    await makeDirectory(directory)
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${randomBytes(3).toString('hex')}`
    const file = new EventFile(await open(join(directory, name), 'wx'))
    file.append(message(double(1, Date.now() / 1000), bytes(3, 'brain.Event:2')))
    return file
  }

  /** Adds values of a step: messages `Summary.Value`. */
  add(step: number, values: readonly Uint8Array[]): void {
    const summary = message(...values.map((value) => bytes(1, value)))
    this.append(message(double(1, Date.now() / 1000), integer(2, step), bytes(5, summary)))
  }

  /** Writes out what was added. */
  async flush(): Promise<void> {
    const records = this.buffered
    this.buffered = []
    if (records.length > 0) await this.handle.appendFile(Buffer.concat(records))
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.handle.close()
    }
  }

  private append(event: Uint8Array): void {
    const record = new Uint8Array(event.length + 16)
    const view = new DataView(record.buffer)
    view.setBigUint64(0, BigInt(event.length), true)
    view.setUint32(8, maskedCrc(record.subarray(0, 8)), true)
    record.set(event, 12)
    view.setUint32(12 + event.length, maskedCrc(event), true)
    this.buffered.push(record)
  }
}

/** CRC-32C (Castagnoli 1993), byte by byte, lowest bit first. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** TFRecord turns and shifts a CRC, because a CRC of data with a CRC within is no good one. */
function maskedCrc(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
