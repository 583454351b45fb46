import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeOnnxLSTMNet } from '../src/children/onnx-model'
import { flopsOf, REFERENCE_NETWORK } from '../src/workload'

const program = new URL('../dist/rowwise-bench.js', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'rowwise-bench-'))
const browser = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'

interface Run {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs `rowwise-bench`, in a directory where no optional peer is installed. */
function bench(args: string[], { interruptAfter = 0, where = directory } = {}): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], { cwd: where })
  const run: Run = { exitCode: null, stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      run[stream] += chunk
    })
  }
  const timer = interruptAfter > 0 ? setTimeout(() => child.kill('SIGINT'), interruptAfter) : undefined
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ ...run, exitCode })
    })
  })
}

const short = ['--seconds', '0.5', '--batch', '1,4', '--threads', '1', '--hidden-size', '8']

// These look at the machinery; how fast it is, is not for a test to say.
describe('rowwise-bench', () => {
  const [saved, page] = [join(directory, 'report.json'), join(directory, 'report.html')]
  let run: Run
  beforeAll(async () => {
    run = await bench([...short, '--peers', '--python', '/nowhere/python3', '--save', saved, '--html', page])
  }, 240_000)

  it('times training steps and predictions of every backend that runs, with nothing on standard error', () => {
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    for (const row of [
      'training +1 +Rowwise, 1 thread',
      'prediction +4 +Rowwise, no WASM',
      'training +4 +tfjs-layers, wasm',
    ]) {
      expect(run.stdout).toMatch(new RegExp(`^${row} +\\d+(\\.\\d+)? `, 'm'))
    }
  })

  it('names the backends that do not run and the peers that are missing, with the command that gets them', () => {
    expect(run.stdout).toMatch(/backend cuda: .*npm install @tensorflow\/tfjs-node-gpu/)
    expect(run.stdout).toMatch(/PyTorch, 1 thread: .*ENOENT; get it with: apt-get install python3-torch/)
    expect(run.stdout).toMatch(/onnxruntime, 1 thread: .*Cannot find module.*; get it with: npm install/)
    expect(run.stdout).toMatch(/jax-js, wasm: .*Cannot find module.*; get it with: npm install @jax-js\/jax/)
  })

  it('says who took part, what grows how, and by which command it was made', () => {
    expect(run.stdout).toMatch(/Rowwise, wasm backend, (relaxed-)?simd kernels, 1 thread, Node /)
    expect(run.stdout).toMatch(/^T +Rowwise, 1 thread .* \d\.\d\d$/m)
    expect(run.stdout).toMatch(/^\d+ turns; \d s were waited while something else used the machine, \d+ turns were/m)
    expect(run.stdout).toMatch(/^made by: rowwise-bench --seconds 0.5 /m)
  })

  it('keeps a report with machine, versions, rounds and no leaked tensor', () => {
    const report = JSON.parse(readFileSync(saved, 'utf8'))
    expect(report).toMatchObject({ schema: 4, machine: { node: process.versions.node }, network: { hiddenSize: 8 } })
    expect(report.peakGflops).toBeGreaterThan(0.1)
    expect(report.quiet.turns).toBeGreaterThanOrEqual(report.rows.length)
    const ours = report.rows.filter(({ isOurs }: { isOurs: boolean }) => isOurs)
    expect(ours).toHaveLength(8)
    for (const { median, p99, rounds, leaked, firstStep } of ours) {
      expect([median > 0, p99 >= median, rounds.length > 0, leaked, firstStep > 0]).toEqual([true, true, true, 0, true])
    }
  })

  it('compares with a kept report, and exits with 1 when something became slower', async () => {
    const report = JSON.parse(readFileSync(saved, 'utf8'))
    const scaled = (factor: number) => {
      const scale = (row: { median: number; rounds: number[] }) => ({
        ...row,
        median: row.median * factor,
        rounds: row.rounds.map((round) => round * factor),
      })
      const path = join(directory, `scaled-${factor}.json`)
      writeFileSync(path, JSON.stringify({ ...report, rows: report.rows.map(scale) }))
      return path
    }
    const few = ['--seconds', '0.3', '--batch', '4', '--threads', '1', '--hidden-size', '8', '--backend', 'wasm']
    const slower = await bench([...few, '--compare', scaled(0.001)])
    expect([slower.exitCode, slower.stdout]).toEqual([1, expect.stringMatching(/ slower$/m)])
    const faster = await bench([...few, '--compare', scaled(1000)])
    expect([faster.exitCode, faster.stdout]).toEqual([0, expect.stringMatching(/ faster$/m)])
  }, 60_000)

  it('prints Markdown, or the report as JSON', async () => {
    const few = ['--seconds', '0.1', '--batch', '2', '--backend', 'cpu', '--hidden-size', '4']
    expect((await bench([...few, '--markdown'])).stdout).toMatch(/^\| training \| 2 \| Rowwise, no WASM \|/m)
    expect(JSON.parse((await bench([...few, '--json'])).stdout)).toMatchObject({ schema: 4, changes: [] })
  }, 60_000)

  it('reads pixel by pixel, in a random order too', async () => {
    const args = [
      '--seconds',
      '0.1',
      '--batch',
      '2',
      '--backend',
      'wasm',
      '--threads',
      '1',
      '--sequence',
      'permuted',
      '--json',
    ]
    const { network, rows } = JSON.parse((await bench(args)).stdout)
    expect([network.time, network.inputSize, rows.length]).toEqual([784, 1, 2])
  }, 60_000)

  it('times Rowwise in Chromium too, on threads', async (context) => {
    if (!existsSync(browser)) return context.skip()
    const args = ['--seconds', '0.4', '--batch', '2', '--backend', 'wasm', '--threads', '2', '--chromium', '--json']
    const { rows, participants } = JSON.parse((await bench(args, { where: import.meta.dirname })).stdout)
    expect(participants.map(({ description }: { description: string }) => description)).toEqual([
      expect.stringMatching(/wasm backend, .* kernels, .*2 threads, Node/),
      expect.stringMatching(/cpu backend, .* kernels, 2 threads, Chromium \d+/),
    ])
    expect(rows.map(({ leaked, median }: { leaked: number; median: number }) => [leaked, median > 0])).toEqual(
      Array(4).fill([0, true]),
    )
  }, 60_000)

  it('times the whole program in the CLI, and says what is missing of PyTorch’s', async () => {
    const args = [
      '--seconds',
      '0.1',
      '--batch',
      '2',
      '--backend',
      'cpu',
      '--program',
      '1',
      '--python',
      '/nowhere/python3',
    ]
    const { programs, absent } = JSON.parse((await bench([...args, '--json'])).stdout)
    expect(programs).toEqual([
      { contestant: 'rowwise train', epochs: 1, seconds: expect.any(Number), peakMemory: expect.any(Number) },
    ])
    expect(programs[0].seconds).toBeGreaterThan(0.5)
    expect(absent).toContainEqual({ contestant: 'PyTorch’s program', reason: expect.stringMatching(/ENOENT/) })
  }, 60_000)

  it('prints and keeps the rows so far when it is interrupted', async () => {
    const path = join(directory, 'interrupted.json')
    const run = await bench(['--seconds', '60', '--patience', '0', '--backend', 'wasm', '--save', path], {
      interruptAfter: 6000,
    })
    expect([run.exitCode, run.stderr]).toEqual([130, ''])
    expect(run.stdout).toMatch(/^training +1 +Rowwise, 1 thread/m)
    expect(JSON.parse(readFileSync(path, 'utf8')).rows.length).toBeGreaterThan(0)
  }, 60_000)

  it('makes a page whose charts are there in a browser, on a phone and in the dark, with no script and no request', async (context) => {
    if (!existsSync(browser)) return context.skip()
    const running = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] })
    try {
      for (const options of [
        { viewport: { width: 390, height: 800 }, colorScheme: 'dark' },
        { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
      ] as const) {
        const tab = await running.newPage(options)
        const requests: string[] = []
        tab.on('request', (request) => requests.push(request.url()))
        await tab.goto(`file://${page}`)
        for (const [chart, mark] of Object.entries({
          throughput: '.mark-rect path',
          latency: '.mark-symbol path',
          growth: '.mark-line path',
          training: '.mark-line path',
        })) {
          expect(await tab.locator(`#${chart} ${mark}`).count()).toBeGreaterThan(0)
        }
        expect(await tab.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
        const [text, background] = (await tab.evaluate(
          '[getComputedStyle(document.querySelector("svg text")).fill, getComputedStyle(document.body).color]',
        )) as string[]
        expect(text).toBe(background)
        expect(requests).toEqual([`file://${page}`])
        await tab.close()
      }
    } finally {
      await running.close()
    }
  }, 60_000)
})

describe('rowwise-bench accuracy', () => {
  it('logs every seed, and drops the fastest and the slowest', async () => {
    const { ways, mean } = JSON.parse((await bench(['accuracy', '--target', '0.9', '--seeds', '3', '--json'])).stdout)
    expect(ways.map(({ seed, reached }: { seed: number; reached: boolean }) => [seed, reached])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ])
    const middle = [...ways].sort((a, b) => a.seconds - b.seconds)[1]
    expect(mean).toEqual({ seconds: middle.seconds, epochs: middle.epochs, counted: 1 })
  }, 180_000)
})

describe('wrong input gets one line and exit code 2', () => {
  it.each([
    ['an unknown backend', ['--backend', 'tpu'], /Expected all, or some of cuda, wasm, cpu/],
    ['a batch of nothing', ['--batch', '0'], /Expected an integer from 1 to 100000/],
    ['an unknown growth', ['--grow', 'X'], /Expected some of T, N, H, layers/],
    ['an unknown sequence', ['--sequence', 'words'], /Allowed choices are rows, pixels, permuted/],
    ['a patience below nothing', ['--patience', '-1'], /Expected a number of seconds, or 0/],
    ['a target over 1', ['accuracy', '--target', '97'], /between 0 and 1/],
    ['an unknown option', ['--speed'], /unknown option/],
    ['an old report that is not there', ['--compare', 'none.json'], /none.json cannot be read: .*--save/],
    ['an old report that is none', ['--compare', program], /is no report of this version/],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await bench(args)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('the work of a step', () => {
  it('is 3.52 MFLOP a sample in training, a third of it forward', () => {
    expect(flopsOf({ kind: 'train', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(3.52, 2)
    expect(flopsOf({ kind: 'predict', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(1.32, 2)
  })
})

describe('the ONNX model', () => {
  it('has an LSTM with the weights’ shapes and the operators that follow it', () => {
    const text = new TextDecoder('latin1').decode(encodeOnnxLSTMNet(REFERENCE_NETWORK))
    for (const name of ['LSTM', 'hidden_size', 'Squeeze', 'Gemm', 'transB', 'logits']) expect(text).toContain(name)
    expect(text.length).toBeGreaterThan(4 * (256 * 92 + 512 + 640))
  })
})
