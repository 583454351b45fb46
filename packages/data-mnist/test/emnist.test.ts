import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type LoadMnistOptions, listCache, loadMnist, verifyCache } from '@rowwise/data-mnist'
import { zipSync } from 'fflate'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { emnistReader } from '../src/sources/emnist'
import type { Variant } from '../src/variants'
import { idx } from './idx-files'
import { MirrorServer } from './mirror-server'

const packageRoot = new URL('..', import.meta.url).pathname
const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

/** The files of a split, as the archive has them. */
const split = (name: string, classes: number[]) => ({
  [`gzip/emnist-${name}-train-images-idx3-ubyte.gz`]: gzipSync(idx([2, 2, 3], [...Array(12).keys()])),
  [`gzip/emnist-${name}-train-labels-idx1-ubyte.gz`]: gzipSync(idx([2], classes)),
  [`gzip/emnist-${name}-test-images-idx3-ubyte.gz`]: gzipSync(idx([1, 2, 3], [...Array(6).keys()])),
  [`gzip/emnist-${name}-test-labels-idx1-ubyte.gz`]: gzipSync(idx([1], classes.slice(1))),
})
const zipped = zipSync({
  ...split('letters', [1, 26]),
  ...split('digits', [3, 9]),
  'gzip/emnist-letters-mapping.txt': Buffer.from('1 65 97\n'),
})
const published = (bytes: Uint8Array) => ({
  ...{ name: 'gzip.zip', bytes: bytes.length },
  md5: createHash('md5').update(bytes).digest('hex'),
})
const archive = published(zipped)

/** Half of it, and then nothing more. */
const stalled: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-length': zipped.length }).write(zipped.subarray(0, zipped.length >> 1))
}

let server: MirrorServer
beforeAll(async () => {
  server = await MirrorServer.start({
    ...{ real: (_, response) => response.end(zipped), stalled },
    damaged: (_, response) => response.end(zipped.map((byte, at) => (at === 100 ? byte ^ 1 : byte))),
    large: (_, response) => response.end(Buffer.alloc(40_000_000)),
  })
})
afterAll(() => server.stop())

let cacheDirectory: string
let file: string
beforeEach(() => {
  cacheDirectory = mkdtempSync(join(tmpdir(), 'rowwise-emnist-'))
  file = join(cacheDirectory, 'emnist/gzip.zip')
  server.requests.length = 0
})

const open = (variant: Variant = 'emnist-letters', options: LoadMnistOptions = {}, of = archive) =>
  emnistReader(of, cacheDirectory, variant, { mirrors: [server.url()], retries: 0, ...options })
const left = () => readdirSync(join(cacheDirectory, 'emnist'))

function keep(bytes: Uint8Array | string): void {
  mkdirSync(join(cacheDirectory, 'emnist'))
  writeFileSync(file, bytes)
}

describe('EMNIST’s archive', () => {
  it('is downloaded once for all of its splits, and kept as it was published', async () => {
    const seen: string[] = []
    const onProgress: LoadMnistOptions['onProgress'] = ({ file, received, total }) =>
      seen.push(`${file} ${received}/${total}`)
    const letters = await open('emnist-letters', { onProgress })
    const digits = await open('emnist-digits')
    const labels = [
      await letters('emnist-letters-train-labels-idx1-ubyte'),
      await digits('emnist-digits-test-labels-idx1-ubyte'),
    ]
    expect(labels.map((bytes) => Buffer.from(bytes))).toEqual([
      Buffer.from(gzipSync(idx([2], [1, 26]))),
      Buffer.from(gzipSync(idx([1], [9]))),
    ])
    expect([server.requests, left()]).toEqual([['/real/gzip.zip'], ['gzip.zip']])
    expect(Buffer.compare(readFileSync(file), zipped)).toBe(0)
    expect(seen.at(-1)).toBe(`gzip.zip ${zipped.length}/${zipped.length}`)
  })

  it('is written as it comes, and is not there before it is whole and verified', async () => {
    const controller = new AbortController()
    const opening = open('emnist-letters', { mirrors: [server.url('stalled')], signal: controller.signal })
    const written = () =>
      existsSync(join(cacheDirectory, 'emnist')) &&
      left().some((name) => statSync(join(cacheDirectory, 'emnist', name)).size > 0)
    while (!written()) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(left()).toEqual([expect.stringMatching(/^gzip\.zip\.\d+\..*\.tmp$/)])
    controller.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
    expect(left()).toEqual([])
  })

  it('that is damaged or does not come is got from the next mirror', async () => {
    const mirrors = ['damaged', 'stalled', 'real'].map((name) => server.url(name))
    await open('emnist-letters', { mirrors, stallMs: 100 })
    expect(server.requests).toEqual(['/damaged/gzip.zip', '/stalled/gzip.zip', '/real/gzip.zip'])
    expect(left()).toEqual(['gzip.zip'])
  })

  it('is got again when it was altered, and refused where nothing but the cache may be used', async () => {
    keep(zipped.map((byte, at) => (at === 100 ? byte ^ 1 : byte)))
    await expect(open('emnist-letters', { source: 'cache' })).rejects.toThrow(
      code('CHECKSUM_MISMATCH', /emnist\/gzip\.zip has MD5 [0-9a-f]{32}, the published gzip\.zip has .*data clean/),
    )
    await open()
    expect([server.requests.length, Buffer.compare(readFileSync(file), zipped)]).toEqual([1, 0])
    await open('emnist-letters', { source: 'cache' })
    await open('emnist-letters', { source: 'download' })
    expect(server.requests.length).toBe(2)
  })

  it('that is not in the cache, which alone may be used, is not downloaded', async () => {
    await expect(open('emnist-letters', { source: 'cache' })).rejects.toThrow(
      code('DATA_NOT_FOUND', /holds no emnist\/gzip\.zip; leave source out/),
    )
    expect(server.requests).toEqual([])
  })

  it('without a split says which files it lacks; no archive says so', async () => {
    keep(zipped)
    await expect(open('emnist-mnist')).rejects.toThrow(
      code('DATASET_INVALID', /holds no emnist-mnist-train-images-idx3-ubyte\.gz, emnist-mnist-train-labels/),
    )
    const text = Buffer.from('no archive')
    writeFileSync(file, text)
    await expect(open('emnist-letters', {}, published(text))).rejects.toThrow(
      code('DATASET_INVALID', /gzip\.zip (cannot be unpacked: |holds no )/),
    )
  })
})

describe('loadMnist() of EMNIST', () => {
  const load = (options: LoadMnistOptions = {}) =>
    loadMnist({ variant: 'emnist-letters', cacheDirectory, mirrors: [server.url()], retries: 0, ...options })

  it('takes no archive but the one that torchvision knows', async () => {
    await expect(load()).rejects.toThrow(
      code('DOWNLOAD_FAILED', /its answer has MD5 .*, the published gzip\.zip has 58c8d27c78d21e728a6bc7b3cc06412e/),
    )
    expect([server.requests, left()]).toEqual([['/real/gzip.zip'], []])
  })

  it('is not to be had from npm', async () => {
    await expect(load({ source: 'npm' })).rejects.toThrow(code('LOADER_OPTION', /has no emnist-letters/))
  })

  it('lists and verifies it in the cache as one file of all splits', async () => {
    keep('another')
    expect(await listCache({ cacheDirectory })).toEqual([{ variant: 'emnist', name: 'gzip.zip', path: file, bytes: 7 }])
    expect(await verifyCache({ cacheDirectory })).toEqual([
      expect.objectContaining({
        ok: false,
        reason: expect.stringMatching(/has MD5 .*, the published gzip\.zip has 58c8/),
      }),
    ])
  })

  it.skipIf(smallDiskMissing)('on a full disk fails at once, and leaves nothing', async () => {
    const program = `
      import { loadMnist } from '@rowwise/data-mnist/datasets'
      const options = { variant: 'emnist-digits', cacheDirectory: process.env.DISK, mirrors: ['${server.url('large')}'] }
      await loadMnist(options).catch(({ code, message }) => console.log(code, message))`
    const { stdout } = await onSmallDisk(
      '20m',
      `cd ${packageRoot} && "${process.execPath}" --input-type=module -e "$(cat "${written(program)}")"; ls "$DISK/emnist"`,
    )
    expect(stdout.trim()).toMatch(/^CACHE_UNUSABLE the cache \S+ cannot be written: the disk is full[^\n]*$/)
    expect(server.requests).toEqual(['/large/gzip.zip'])
  })
})

function written(program: string): string {
  const path = join(cacheDirectory, 'program.mjs')
  writeFileSync(path, program)
  return path
}
