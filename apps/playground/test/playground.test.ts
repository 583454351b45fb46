import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { DataLoader, loadMnist, normalize } from '@rowwise/data-mnist'
import {
  configureKernels,
  decodeSafetensors,
  encodeSafetensors,
  GRUNet,
  LSTMNet,
  RNNNet,
  save,
} from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
// @ts-expect-error plain JavaScript, which Node runs without a build
import { serve } from '../serve.mjs'
import { centreDigit } from '../src/draw/centre'
import { readRows } from '../src/draw/read-rows'
import { readModel } from '../src/model-in-use'
import { STROKES } from './strokes'

const chromiumPath = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
const root = new URL('..', import.meta.url).pathname
const weights = readFileSync(new URL('../public/model.safetensors', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const SETTINGS = { hiddenSize: 64, numLayers: 1, lr: 0.001, batchSize: 64, epochs: 1, seed: '0' }

describe('readRows', () => {
  const nets = [
    ['LSTM', () => LSTMNet.fromSafetensors(weights), 256],
    ['GRU', () => new GRUNet({ numLayers: 2, generator: new Generator(1) }), 192],
    ['RNN', () => new RNNNet({ generator: new Generator(2) }), 64],
    ['RNN of relu', () => new RNNNet({ nonlinearity: 'relu', generator: new Generator(3) }), 64],
  ] as const
  it.each(nets)(
    'comes to the probabilities of the %s, and has a gate picture of every row',
    async (_, make, rowsOfGates) => {
      await tf.setBackend('cpu')
      const { test } = await loadMnist()
      const transform = normalize(0.1307, 0.3081)
      const image = test.images.subarray(0, 784)
      const rows = Array.from({ length: 28 }, (_, row) =>
        Float32Array.from(image.subarray(28 * row, 28 * row + 28), (pixel) => transform[pixel]),
      )
      const model = make()
      const inUse = readModel(await save(model), 'a test')
      const { probabilities, gates } = readRows(inUse.weights, inUse.cell, rows)
      const inputs = tf.tensor3d(
        Float32Array.from(image, (pixel) => transform[pixel]),
        [1, 28, 28],
      )
      const expected = tf.softmax(model.forward(inputs)).dataSync()
      expect(Math.max(...expected.map((value, digit) => Math.abs(value - probabilities[27][digit])))).toBeLessThan(1e-5)
      expect([gates.length, gates[0].length]).toEqual([28, rowsOfGates])
    },
  )
})

describe('centreDigit', () => {
  it('scales a drawing into a box of 20 pixels, with its centre of mass in the middle', () => {
    const ink = new Uint8Array(280 * 280)
    for (let y = 10; y < 110; y++) for (let x = 200; x < 250; x++) ink[280 * y + x] = 255
    const image = centreDigit(ink, 280) as Uint8Array
    const set = [...image.keys()].filter((index) => image[index] > 127)
    const [columns, rows] = [set.map((index) => index % 28), set.map((index) => Math.floor(index / 28))]
    expect([Math.min(...rows), Math.max(...rows), Math.min(...columns), Math.max(...columns)]).toEqual([4, 23, 9, 18])
  })

  it('has nothing to say of an empty drawing', () => {
    expect(centreDigit(new Uint8Array(100), 10)).toBeNull()
  })
})

describe.skipIf(!existsSync(chromiumPath))('the playground', () => {
  let browser: Browser
  let servers: Record<'isolated' | 'plain', Server>
  let page: Page
  let problems: string[]
  beforeAll(async () => {
    await promisify(execFile)('pnpm', ['run', 'build'], { cwd: root })
    servers = { isolated: await serve(), plain: await serve({ isIsolated: false }) }
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    for (const server of Object.values(servers ?? {})) {
      server.closeAllConnections()
      server.close()
    }
  })

  const address = (kind: keyof typeof servers): string =>
    `http://127.0.0.1:${(servers[kind].address() as AddressInfo).port}/`

  async function open(kind: keyof typeof servers = 'isolated', options = {}): Promise<Page> {
    await page?.close()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options })
    problems = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())))
    page.on('request', (request) => {
      if (!request.url().startsWith(address(kind)) && !request.url().startsWith('blob:')) problems.push(request.url())
    })
    await page.goto(address(kind))
    await page.waitForSelector('html[data-ready]')
    return page
  }
  beforeEach(() => open().then(() => {}))

  const trained = async (steps: number, cell: 'lstm' | 'gru' | 'rnn' = 'lstm'): Promise<string> => {
    const settings = { ...SETTINGS, cell }
    await page.evaluate(([settings, count]) => window.trainSteps(settings, count), [settings, steps] as const)
    await page.waitForFunction(
      () => /^(Stopped|Done|It did not)/.test(document.getElementById('progress')?.textContent ?? ''),
      null,
      {
        timeout: 100_000,
      },
    )
    return (await page.textContent('#progress')) ?? ''
  }

  it.each(['isolated', 'plain'] as const)(
    'trains 300 steps, %s, and reaches the loss that Node reaches with that seed',
    { timeout: 150_000 },
    async (kind) => {
      await open(kind)
      const end = await trained(300)
      const threads = kind === 'isolated' ? 2 : 1
      expect(end).toMatch(/^Stopped after 300 steps\./)
      const lastLoss = /last (\d\.\d+)/.exec((await page.getAttribute('#loss-curve svg', 'aria-label')) ?? '')?.[1]
      expect(Number(lastLoss)).toBeCloseTo(await lossInNode(300, threads), 2)
      expect(problems).toEqual([])
    },
  )

  it.each(['gru', 'rnn'] as const)(
    'trains a %s, and reads with what it has learned',
    { timeout: 100_000 },
    async (cell) => {
      expect(await page.locator('select[name=cell] option').allTextContents()).toEqual(['lstm', 'gru', 'rnn'])
      expect(await trained(100, cell)).toMatch(/^Stopped after 100 steps\./)
      expect(await page.textContent('#model-line')).toContain('trained here for 100 steps')
      await page.click('#example')
      await page.waitForFunction(() => /reads a/.test(document.getElementById('verdict')?.textContent ?? ''))
      expect(await page.locator('#gates canvas').count()).toBe(cell === 'gru' ? 3 : 1)
      expect(problems).toEqual([])
    },
  )

  it('reads each of ten drawn digits, nine of them right at least', { timeout: 60_000 }, async () => {
    const found: string[] = []
    for (const strokes of STROKES) {
      await page.click('#clear')
      const box = (await page.locator('#pad').boundingBox()) as { x: number; y: number; width: number }
      for (const [first, ...rest] of strokes) {
        const at = ([x, y]: readonly [number, number]) => [box.x + x * box.width, box.y + y * box.width] as const
        await page.mouse.move(...at(first))
        await page.mouse.down()
        for (const point of rest) await page.mouse.move(...at(point), { steps: 3 })
        await page.mouse.up()
      }
      found.push(/reads a (\d)/.exec((await page.textContent('#verdict')) ?? '')?.[1] ?? '-')
    }
    const right = found.filter((digit, index) => digit === String(index)).length
    expect(right, found.join(' ')).toBeGreaterThanOrEqual(9)
    expect(problems).toEqual([])
  })

  it('lets one draw by keyboard alone, and go back to any row', { timeout: 60_000 }, async () => {
    await page.focus('#pad')
    for (let up = 0; up < 9; up++) await page.keyboard.press('ArrowUp')
    await page.keyboard.press(' ')
    for (let down = 0; down < 18; down++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press(' ')
    expect(await page.textContent('#verdict')).toMatch(/reads a 1 /)
    const atEnd = await page.textContent('#bars')
    await page.focus('#row')
    await page.keyboard.press('Home')
    expect([await page.textContent('#row-output'), (await page.textContent('#bars')) === atEnd]).toEqual(['1', false])
    expect(await page.locator('#row-curves polyline').count()).toBe(10)
  })

  it('saves what it loads', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    const saved = readFileSync(await download.path())
    const [ours, theirs] = [decodeSafetensors(weights).tensors, decodeSafetensors(saved).tensors]
    expect(theirs).toEqual(ours)
    await page.setInputFiles('#load', { name: 'again.safetensors', mimeType: '', buffer: saved })
    await page.waitForFunction(() => /in use/.test(document.getElementById('file-message')?.textContent ?? ''))
    expect(await page.textContent('#model-line')).toContain('loaded from again.safetensors')
  })

  it.each([
    ['empty', Buffer.alloc(0), /the file is empty, not safetensors/],
    ['truncated', weights.subarray(0, 5000), /header|end at byte/],
    ['hostile', Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 123]), /header length/],
    [
      'of another model',
      Buffer.from(encodeSafetensors({ weight: { shape: [1], data: Float32Array.of(1) } })),
      /has no matrix lstm_1.weight_ih_l0/,
    ],
  ])('refuses a file that is %s, and keeps the weights in use', async (_, buffer, message) => {
    const before = await page.textContent('#model-line')
    await page.setInputFiles('#load', { name: 'bad.safetensors', mimeType: '', buffer })
    await page.waitForFunction(() => document.getElementById('file-message')?.textContent !== '')
    expect(await page.textContent('#file-message')).toMatch(message)
    expect(await page.textContent('#model-line')).toBe(before)
  })

  it('pauses, goes on, stops, and leaves no worker behind', { timeout: 60_000 }, async () => {
    await page.click('#start')
    await page.waitForFunction(() => /step \d+,/.test(document.getElementById('progress')?.textContent ?? ''), null, {
      timeout: 50_000,
    })
    await page.click('#pause')
    await page.waitForFunction(() => /paused/.test(document.getElementById('progress')?.textContent ?? ''))
    await page.waitForTimeout(500) // what was on its way arrives
    const paused = await page.textContent('#progress')
    await page.waitForTimeout(300)
    expect(await page.textContent('#progress')).toBe(paused)
    await page.click('#pause')
    await page.waitForFunction((before) => document.getElementById('progress')?.textContent !== before, paused)
    await page.click('#stop')
    await page.waitForFunction(() => /^Stopped/.test(document.getElementById('progress')?.textContent ?? ''))
    await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(0)
    expect(page.url()).toContain('#cell=lstm&hiddenSize=64&numLayers=1&lr=0.001&batchSize=64&epochs=10&seed=0')
  })

  it('stops while the data are loading, and keeps the weights in use', { timeout: 60_000 }, async () => {
    const before = await page.textContent('#model-line')
    await page.click('#start')
    await page.click('#stop')
    await page.waitForFunction(() =>
      /^(Stopped|It did not)/.test(document.getElementById('progress')?.textContent ?? ''),
    )
    expect(await page.textContent('#progress')).toMatch(/^Stopped after 0 steps\./)
    expect(await page.textContent('#model-line')).toBe(before)
  })

  it('names the classes, and normalises, as the file says that the command line wrote', async () => {
    const { tensors } = decodeSafetensors(weights)
    const classNames = Array.from('abcdefghij')
    const preprocessing = JSON.stringify({ mean: 0.1307, std: 0.3081, classNames })
    const buffer = Buffer.from(encodeSafetensors(tensors, { preprocessing }))
    await page.setInputFiles('#load', { name: 'letters.safetensors', mimeType: '', buffer })
    await page.waitForFunction(() => /in use/.test(document.getElementById('file-message')?.textContent ?? ''))
    await page.click('#example')
    await page.waitForFunction(() => /reads a/.test(document.getElementById('verdict')?.textContent ?? ''))
    expect(await page.textContent('#verdict')).toMatch(/^It reads a h /) // the first test image is a 7
    expect(await page.locator('#bars .name').allTextContents()).toEqual(classNames)
  })

  it('ends its worker when one leaves in the middle', { timeout: 60_000 }, async () => {
    await page.click('#start')
    await page.waitForFunction(() => /step \d+,/.test(document.getElementById('progress')?.textContent ?? ''), null, {
      timeout: 50_000,
    })
    await page.goto('about:blank')
    await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(0)
  })

  it.each([
    ['phone', 390, 'light'],
    ['phone', 390, 'dark'],
    ['desktop', 1280, 'light'],
    ['desktop', 1280, 'dark'],
  ] as const)(
    'has no fault that axe finds, and fits, on a %s (%i pixels, %s)',
    { timeout: 60_000 },
    async (_, width, colorScheme) => {
      await open('isolated', { viewport: { width, height: 800 }, colorScheme, bypassCSP: true })
      await page.click('#example')
      await page.waitForFunction(() => /reads a/.test(document.getElementById('verdict')?.textContent ?? ''))
      await page.addScriptTag({ content: axe })
      const violations = await page.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
      )
      expect(violations).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    },
  )

  it('keeps a strict content security policy', async () => {
    const answer = await page.goto(address('isolated'))
    const policy = answer?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe-inline')
    expect(policy).not.toContain("'unsafe-eval'")
  })
})

async function lossInNode(steps: number, threads: number): Promise<number> {
  await tf.setBackend('cpu')
  configureKernels({ path: 'auto', threads })
  const generator = new Generator(0)
  const model = new LSTMNet({ generator })
  const { train } = await loadMnist()
  const loader = new DataLoader(train, { shuffle: true, generator, transform: normalize(0.1307, 0.3081) })
  const controller = new AbortController()
  let last = Number.NaN
  await trainModel(model, new Adam(model.parameters()), crossEntropy, loader, {
    signal: controller.signal,
    async onBatchEnd({ batch, loss }) {
      last = await loss()
      if (batch === steps) controller.abort()
    },
  })
  return last
}
