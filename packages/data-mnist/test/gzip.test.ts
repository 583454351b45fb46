import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, gunzipHead } from '../src/gzip'
import { dataDirectory, idx } from './idx-files'

const refused = expect.objectContaining({ code: 'GZIP_INVALID' })
const content = Uint8Array.from({ length: 300 }, (_, i) => i * 7)
const packed = gzipSync(content)

describe('gunzip', () => {
  it('unpacks what gzip packed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(Buffer.compare(gunzip(gzipSync(bytes), bytes.length || 1), bytes)).toBe(0)
      }),
    )
  })

  it('reads a header with a name, a comment and extra fields', () => {
    const header = [0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x61, 0, 0x62, 0]
    expect([...gunzip(Buffer.concat([Buffer.from(header), packed.subarray(10)]), 300)]).toEqual([...content])
  })

  it('refuses every truncation', () => {
    fc.assert(
      fc.property(fc.nat(packed.length - 1), (length) => {
        expect(() => gunzip(packed.subarray(0, length), 300)).toThrow(refused)
      }),
    )
  })

  it('gives the true content or refuses when any bit is flipped', () => {
    fc.assert(
      fc.property(fc.nat(packed.length * 8 - 1), (bit) => {
        const altered = Uint8Array.from(packed)
        altered[bit >> 3] ^= 1 << (bit & 7)
        let outcome: Uint8Array | string
        try {
          outcome = Uint8Array.from(gunzip(altered, 300))
        } catch (error) {
          outcome = (error as { code: string }).code
        }
        expect([content, 'GZIP_INVALID']).toContainEqual(outcome)
      }),
      { numRuns: 500 },
    )
  })

  it('stops a bomb at the expected size', () => {
    expect(() => gunzip(gzipSync(new Uint8Array(1 << 24)), 1000)).toThrow(/more than the 1000 bytes/)
  })

  it('stops a bomb of 256 MB in under 64 MB of memory', { timeout: 60_000 }, async () => {
    const root = await dataDirectory({ 'train-images-idx3-ubyte': null })
    const head = idx([60000, 28, 28], [])
    const bomb = gzipSync(Buffer.concat([head, new Uint8Array(1 << 28)]), { level: 1 })
    await writeFile(join(root, 'train-images-idx3-ubyte.gz'), bomb)
    const program = `
      import { loadMnist } from '@rowwise/data-mnist/datasets'
      const before = process.resourceUsage().maxRSS
      const code = await loadMnist({ root: ${JSON.stringify(root)} }).catch(({ code }) => code)
      console.log(code, process.resourceUsage().maxRSS - before < 64 * 1024)`
    const cwd = new URL('..', import.meta.url)
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd })
    expect(stdout.trim()).toBe('GZIP_INVALID true')
  })

  it('refuses a second member and trailing bytes', () => {
    expect(() => gunzip(Buffer.concat([packed, packed]), 600)).toThrow(refused)
    expect(() => gunzip(Buffer.concat([packed, Buffer.from([0])]), 600)).toThrow(/9 bytes follow/)
  })

  it('refuses what is no gzip file, and nothing at all', () => {
    expect(() => gunzip(content, 300)).toThrow(/no gzip file/)
    expect(() => gunzip(new Uint8Array(0), 300)).toThrow(/no gzip file/)
  })
})

describe('gunzipHead', () => {
  it('unpacks the first bytes only', () => {
    expect([...gunzipHead(packed, 16)]).toEqual([...content.subarray(0, 16)])
  })

  it('refuses a member that is shorter', () => {
    expect(() => gunzipHead(gzipSync(content.subarray(0, 4)), 16)).toThrow(/holds 4 bytes/)
  })
})
