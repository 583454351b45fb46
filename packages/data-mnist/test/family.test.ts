import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { loadMnist, subset, VARIANTS, type Variant } from '@rowwise/data-mnist'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareCache, readFromCache, writeToCache } from '../src/sources/cache'
import { download } from '../src/sources/download'
import { idx } from './idx-files'
import { MirrorServer } from './mirror-server'

/** An IDX file of big-endian integers. */
function idxIntegers(shape: number[], values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + 4 * values.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x0c00 + shape.length)
  for (const [k, value] of [...shape, ...values].entries()) view.setInt32(4 + 4 * k, value)
  return bytes
}

const directoryOf = (files: Record<string, Uint8Array>) => {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-family-'))
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
  return directory
}

const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })
const pixels = Array.from({ length: 12 }, (_, k) => k)

describe('EMNIST', () => {
  const files = (split: string) => ({
    [`emnist-${split}-train-images-idx3-ubyte.gz`]: gzipSync(idx([2, 2, 3], pixels)),
    [`emnist-${split}-train-labels-idx1-ubyte.gz`]: gzipSync(idx([2], [1, 26])),
    [`emnist-${split}-test-images-idx3-ubyte.gz`]: gzipSync(idx([1, 2, 3], pixels.slice(6))),
    [`emnist-${split}-test-labels-idx1-ubyte.gz`]: gzipSync(idx([1], [2])),
  })

  it('is read from its unpacked archive, its images turned upright, its classes named', async () => {
    const { train, test } = await loadMnist({ root: directoryOf(files('letters')), variant: 'emnist-letters' })
    expect([train.height, train.width, [...train.images.subarray(0, 6)]]).toEqual([3, 2, [0, 3, 1, 4, 2, 5]])
    expect([train.classNames[train.labels[1]], test.classNames[test.labels[0]], test.name]).toEqual([
      'z',
      'b',
      'emnist-letters test',
    ])
  })

  it.each<[Variant, number]>([
    ['emnist-byclass', 62],
    ['emnist-bymerge', 47],
    ['emnist-balanced', 47],
    ['emnist-letters', 27],
    ['emnist-digits', 10],
    ['emnist-mnist', 10],
  ])('%s has %i classes', (variant, count) => {
    const { classNames } = VARIANTS[variant]
    expect([classNames.length, new Set(classNames).size]).toEqual([count, count])
  })
})

describe('QMNIST', () => {
  const details = [7, 0, 2003, 21, 55, 8, 0, 0, 3, 4, 102, 5, 51, 9, 1, 0]
  const files = (labels: Uint8Array) => ({
    'qmnist-train-images-idx3-ubyte': idx([2, 2, 3], pixels),
    'qmnist-train-labels-idx2-int': labels,
    'qmnist-test-images-idx3-ubyte': idx([2, 2, 3], pixels),
    'qmnist-test-labels-idx2-int': gzipSync(labels),
  })
  const load = (labels: Uint8Array) => loadMnist({ root: directoryOf(files(labels)), variant: 'qmnist' })

  it('has the classes of its eight columns as labels, and all of them beside', async () => {
    const { train, test } = await load(idxIntegers([2, 8], details))
    expect([[...train.labels], [...(train.details ?? [])], [...test.labels]]).toEqual([[7, 3], details, [7, 3]])
    expect([...(subset(train, 1, 2).details ?? [])]).toEqual(details.slice(8))
  })

  it.each<[string, Uint8Array, string, RegExp]>([
    ['seven columns', idxIntegers([2, 7], details.slice(2)), 'DATASET_INVALID', /has 7 columns, expected 8/],
    [
      'a class that is none',
      idxIntegers([2, 8], [...details.slice(0, 8), -1, ...details.slice(9)]),
      'DATASET_INVALID',
      /class of image 1 is -1/,
    ],
    [
      'bytes for integers',
      idx(
        [2, 8],
        details.map((value) => value & 0xff),
      ),
      'IDX_INVALID',
      /type at offset 2 is 0x08, expected 0x0c/,
    ],
    [
      'a cut file',
      idxIntegers([2, 8], details).subarray(0, 70),
      'IDX_INVALID',
      /need 64 bytes of data, the file has 58/,
    ],
    [
      'a cut header',
      idxIntegers([2, 8], details).subarray(0, 7),
      'IDX_INVALID',
      /ends at byte 7 inside its 12-byte header/,
    ],
  ])('refuses %s', async (_, labels, expected, message) => {
    await expect(load(labels)).rejects.toThrow(code(expected, message))
  })
})

describe('KMNIST, which is published packed, with MD5 sums', () => {
  const packed = gzipSync(idx([1, 2, 3], pixels.slice(0, 6)))
  const file = { name: 'train-images-idx3-ubyte.gz', bytes: 1000, md5: createHash('md5').update(packed).digest('hex') }
  const platform = { unpack: (bytes: Uint8Array) => bytes, followsRedirects: false }
  let mirror: MirrorServer
  beforeAll(async () => {
    mirror = await MirrorServer.start({
      good: (_, response) => response.end(packed),
      other: (_, response) => response.end(gzipSync('another file')),
    })
  })
  afterAll(() => mirror.stop())

  it('is downloaded, verified and kept as it is', async () => {
    const bytes = await download(
      'kmnist',
      file,
      { mirrors: [mirror.url('other'), mirror.url('good')], retries: 0 },
      platform,
    )
    expect(Buffer.compare(bytes, packed)).toBe(0)
    expect(mirror.requests).toEqual(['/other/train-images-idx3-ubyte.gz', '/good/train-images-idx3-ubyte.gz'])
    const cache = directoryOf({})
    await prepareCache(cache, 'kmnist')
    await writeToCache(cache, 'kmnist', file, bytes)
    expect(Buffer.compare((await readFromCache(cache, 'kmnist', file)) as Uint8Array, packed)).toBe(0)
    writeFileSync(join(cache, 'kmnist', file.name), 'altered')
    await expect(readFromCache(cache, 'kmnist', file)).rejects.toThrow(
      code('CHECKSUM_MISMATCH', /has MD5 .*, the published/),
    )
  })

  it('is refused where no mirror has it', async () => {
    const cacheDirectory = directoryOf({})
    const loading = loadMnist({ variant: 'kmnist', mirrors: [mirror.url('other')], retries: 0, cacheDirectory })
    await expect(loading).rejects.toThrow(
      code('DOWNLOAD_FAILED', /has MD5 [0-9a-f]{32}, the published train-images-idx3-ubyte\.gz has bdb82020/),
    )
  })
})
