import { readFile } from 'node:fs/promises'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'

/** A picture of a digit needs no more; a file that claims more is an attack on memory. */
const MAX_SIDE = 4096

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Other pictures by how they begin, for a word on what was found. */
const OTHERS: readonly [RegExp, string][] = [
  [/^\xff\xd8\xff/, 'a JPEG'],
  [/^GIF8[79]a/, 'a GIF'],
  [/^RIFF....WEBP/s, 'a WebP'],
  [/^BM/, 'a BMP'],
  [/^(II\*\0|MM\0\*)/, 'a TIFF'],
  [/^....ftyp(hei|hev|mif|msf|avi)/s, 'an HEIC or AVIF'],
  [/^%PDF/, 'a PDF'],
  [/^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg/s, 'an SVG'],
]

/**
 * Reads a file as far as its PNG ends; what follows is another program's business.
 *
 * @throws {@link UsageError} when it is not a whole PNG of a size that can be decoded.
 */
export async function readPngBytes(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause) => {
    throw new UsageError(`the image ${path} cannot be read: ${reasonOf(cause)}`, { cause })
  })
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) {
    const start = bytes.toString('latin1', 0, 512)
    const other = OTHERS.find(([pattern]) => pattern.test(start))?.[1]
    throw new UsageError(
      `${path} is ${other ? `${other} file, not a PNG` : 'not a PNG file'}; convert the image to PNG`,
    )
  }
  checkHeader(bytes, path)
  return bytes.subarray(0, endOf(bytes, path))
}

/** The error of a file whose content does not hold together. */
export function damaged(path: string, what: string, cause?: unknown): UsageError {
  return new UsageError(`${path} is a damaged PNG file: ${what}; save the image again`, { cause })
}

function checkHeader(bytes: Buffer, path: string): void {
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') throw damaged(path, 'it has no header')
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  if (width < 1 || height < 1) throw damaged(path, `its header says ${width} × ${height} pixels`)
  if (width > MAX_SIDE || height > MAX_SIDE) {
    throw new UsageError(
      `${path} is ${width} × ${height} pixels, expected at most ${MAX_SIDE} × ${MAX_SIDE}; scale it down`,
    )
  }
}

/** Where the last chunk ends: each is a length, a name, so many bytes and a checksum. */
function endOf(bytes: Buffer, path: string): number {
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return end
    at = end
  }
  throw damaged(path, 'it ends too early')
}
