import crc32 from 'crc-32'
import { unzipSync } from 'fflate/browser'
import { KerasError } from '../errors'

/** Signatures of an entry of a zip's directory, and of its end. */
const ENTRY = 0x02014b50
const END = 0x06054b50

/** Some files of a zip. @throws KerasError where it is broken: fflate unpacks damaged files without a word */
export function unzipped(bytes: Uint8Array, names: readonly string[]): Record<string, Uint8Array> {
  const broken = (cause?: unknown) =>
    new KerasError('the .keras file cannot be read; it is broken, or cut off', { cause })
  let files: Record<string, Uint8Array>
  let sums: ReadonlyMap<string, number> | undefined
  try {
    files = unzipSync(bytes, { filter: ({ name }) => names.includes(name) })
    sums = checksums(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (cause) {
    throw broken(cause)
  }
  for (const [name, content] of Object.entries(files)) {
    if (sums === undefined || sums.get(name) === crc32.buf(content)) continue
    throw broken(new Error(`the CRC-32 of ${name} is another`))
  }
  return files
}

/** The CRC-32 of each file, from the central directory (zip specification 4.3.12); undefined for zip64. */
function checksums(view: DataView): Map<string, number> | undefined {
  let end = view.byteLength - 22
  while (view.getUint32(end, true) !== END) end--
  const sums = new Map<string, number>()
  let at = view.getUint32(end + 16, true)
  if (at === 0xffffffff) return undefined
  while (view.getUint32(at, true) === ENTRY) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true))
    const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, name))
    sums.set(text, view.getInt32(at + 16, true))
    at += 46 + name + extra + comment
  }
  return sums
}
