import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kernelReport } from '@rowwise/rnn-kernels'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../src/report/report'
import { type Run, type RunOptions, runBench } from './run-bench'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-bench-'))
const browser = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
const node = `Node ${process.versions.node.split('.').slice(0, 2).join('.')}`

/** Runs `rowwise-bench`, in a directory where no optional peer is installed. */
const bench = (args: string[], options: Partial<RunOptions> = {}): Promise<Run> =>
  runBench(args, { where: directory, ...options })

const short = ['--seconds', '0.5', '--batch', '1,4', '--threads', '1', '--hidden-size', '8']
const shortest = ['--seconds', '0.1', '--batch', '2', '--backend', 'cpu', '--hidden-size', '4']

// These look at the machinery; how fast it is, is not for a test to say.
describe('rowwise-bench', () => {
  const saved = join(directory, 'report.json')
  const readSaved = (): Report => JSON.parse(readFileSync(saved, 'utf8'))
  let run: Run
  beforeAll(async () => {
    run = await bench([...short, '--peers', '--save', saved, '--docs', 'docs', '--html', 'pages/report.html'])
  }, 400_000)

  it('times training steps and predictions of every backend that runs, with nothing on standard error', () => {
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    const measured = readSaved().rows.map(({ kind, batch, subject }) => `${kind} ${batch}: ${subject}`)
    expect(measured).toEqual(
      expect.arrayContaining([
        `train 1: Rowwise, ${node}, 1 thread`,
        `predict 4: Rowwise, ${node}, no WASM`,
        'train 4: tfjs-layers, wasm',
        'predict 1: composed tfjs graph',
      ]),
    )
    expect(run.stdout).toMatch(new RegExp(`^1 +Rowwise, ${node}, 1 thread +\\d+(\\.\\d+)? `, 'm'))
  })

  it('names the backends that do not run and the peers that are missing, with the command that gets them', () => {
    expect(run.stdout).toMatch(/backend cuda: .*npm install @tensorflow\/tfjs-node-gpu/)
    expect(run.stdout).toMatch(/PyTorch: python3: ENOENT; get it with: apt-get install python3-torch/)
    expect(run.stdout).toMatch(/jax-js, wasm: .*Cannot find module.*; get it with: npm install @jax-js\/jax/)
  })

  it('says what was measured, what grows how, and by which command it was made', () => {
    expect(run.stdout).toMatch(/Rowwise, wasm backend, (native \w+|relaxed-simd|simd) kernels, .*1 thread, Node /)
    expect(run.stdout).toMatch(new RegExp(`^T +Rowwise, ${node}, 1 thread .* \\d\\.\\d\\d$`, 'm'))
    expect(run.stdout).toMatch(/^\d+ runs; waited \d+ s for a quiet machine; \d+ runs began on a busy one/m)
    expect(run.stdout).toMatch(/^made by: rowwise-bench --seconds 0.5 /m)
  })

  it('saves a report with machine, versions, rounds and no leaked tensor', () => {
    const report = readSaved()
    expect(report).toMatchObject({ schema: 6, machine: { node: process.versions.node }, network: { hiddenSize: 8 } })
    expect(report.peakGflops).toBeGreaterThan(0.1)
    expect(report.quiet.runs).toBeGreaterThanOrEqual(report.rows.length)
    const ours = report.rows.filter(({ isOurs }) => isOurs)
    expect(ours).toHaveLength(8)
    expect(ours.every(({ median, p99, rounds }) => median > 0 && p99 >= median && rounds.length > 0)).toBe(true)
    expect(ours.map(({ leaked }) => leaked)).toEqual(Array(8).fill(0))
  })

  it('makes missing directories for its pages, and writes each subject’s figure into them', () => {
    const page = readFileSync(join(directory, 'docs/benchmarks.md'), 'utf8')
    const html = readFileSync(join(directory, 'pages/report.html'), 'utf8')
    const rates = readSaved().rows.map(({ samplesPerSecond }) => String(Math.round(samplesPerSecond)))
    expect(rates.filter((rate) => !page.includes(` ${rate} |`))).toEqual([])
    expect(rates.filter((rate) => !html.includes(`>${rate}<`))).toEqual([])
    expect(existsSync(join(directory, 'docs/bench/throughput.svg'))).toBe(true)
  })

  it('compares with a saved report, and exits with 1 when something became slower', async () => {
    const report = readSaved()
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
  }, 120_000)

  it('refuses at once to compare with a report of another network, or of none of its subjects', async () => {
    const network = await bench(['--compare', saved])
    expect(network.stderr).toMatch(
      /--compare .* measured an LSTM of 1 × 8 over 28 steps of 28, this run .* 1 × 64 .*--hidden-size/,
    )
    const subjects = await bench([...short, '--threads', '3', '--backend', 'wasm', '--compare', saved])
    expect(subjects.stderr).toMatch(/has none of this run's subjects \(it has Rowwise, Node /)
    expect([network.exitCode, subjects.exitCode]).toEqual([2, 2])
  }, 60_000)

  it('prints the report as JSON, with goals and changes', async () => {
    const report = JSON.parse((await bench([...shortest, '--json'])).stdout)
    expect(report).toMatchObject({ schema: 6, isInterrupted: false, goals: [], changes: [] })
  }, 60_000)

  it('reads pixel by pixel, in a random order too', async () => {
    const args = ['--seconds', '0.1', '--batch', '2', '--backend', 'wasm', '--threads', '1', '--sequence', 'permuted']
    const { network, rows } = JSON.parse((await bench([...args, '--json'])).stdout)
    expect([network.time, network.inputSize, rows.length]).toEqual([784, 1, 2])
  }, 60_000)

  it.runIf(kernelReport().path === 'native')(
    'times native code and, beside it, WebAssembly',
    async () => {
      const args = ['--seconds', '0.1', '--batch', '2', '--backend', 'wasm', '--threads', '1', '--json']
      const { stdout } = await bench(args, { where: import.meta.dirname, kernels: 'auto' })
      const { subjects, peakGflops } = JSON.parse(stdout) as Report
      expect(subjects.map(({ subject, description }) => [subject, description])).toEqual([
        [`Rowwise, ${node}, 1 thread`, expect.stringMatching(/native \w+ kernels, 1 thread/)],
        [`Rowwise, ${node}, WASM, 1 thread`, expect.stringMatching(/simd kernels, 1 thread/)],
      ])
      expect(peakGflops).toBeGreaterThan(1)
    },
    60_000,
  )

  it.skipIf(!existsSync(browser))(
    'times Rowwise in Chromium too, on threads',
    async () => {
      const args = ['--seconds', '0.4', '--batch', '2', '--backend', 'wasm', '--threads', '2', '--chromium', '--json']
      const { stdout } = await bench(args, { where: import.meta.dirname, path: process.env.PATH })
      const { rows, subjects } = JSON.parse(stdout) as Report
      expect(subjects.map(({ description }) => description)).toEqual([
        expect.stringMatching(/wasm backend, .* kernels, .*2 threads, Node/),
        expect.stringMatching(/cpu backend, .* kernels, 2 threads, Chromium \d+/),
      ])
      expect(subjects[1].subject).toMatch(/^Rowwise, Chromium \d+, 2 threads$/)
      expect(rows.map(({ leaked, median }) => [leaked, median > 0])).toEqual(Array(4).fill([0, true]))
    },
    120_000,
  )

  it('times the whole program in the CLI, and says what is missing of PyTorch’s', async () => {
    const { programs, absent } = JSON.parse((await bench([...shortest, '--program', '1', '--json'])).stdout) as Report
    expect(programs).toEqual([
      {
        ...{ program: 'rowwise train', runtime: node, epochs: 1 },
        ...{ seconds: expect.any(Number), peakMemory: expect.any(Number) },
      },
    ])
    expect(programs[0].seconds).toBeGreaterThan(0.5)
    expect(absent).toContainEqual({ subject: 'PyTorch', reason: expect.stringMatching(/ENOENT/) })
  }, 120_000)

  it('prints and saves the rows so far when it is interrupted, and leaves an older page as it is', async () => {
    mkdirSync(join(directory, 'older'))
    writeFileSync(join(directory, 'older/benchmarks.md'), 'a whole page')
    const args = ['--seconds', '60', '--batch', '1,2,3', '--patience', '0', '--backend', 'wasm', '--threads', '1']
    const run = await bench([...args, '--save', 'interrupted.json', '--docs', 'older'], {
      onStart: (child) => void setTimeout(() => child.kill('SIGINT'), 15_000),
    })
    expect([run.exitCode, run.stderr]).toEqual([
      130,
      "rowwise-bench: --docs 'older' stays as it is: the measurement was interrupted\n",
    ])
    expect(run.stdout).toMatch(/^1 +Rowwise, Node [\d.]+, 1 thread/m)
    const report: Report = JSON.parse(readFileSync(join(directory, 'interrupted.json'), 'utf8'))
    expect([report.isInterrupted, report.rows.length > 0]).toEqual([true, true])
    expect(readFileSync(join(directory, 'older/benchmarks.md'), 'utf8')).toBe('a whole page')
  }, 120_000)

  it('prints the whole report when a file cannot be written at the end, and exits with 1', async () => {
    const vanishing = join(directory, 'vanishing')
    mkdirSync(vanishing)
    utimesSync(vanishing, 0, 0)
    const run = await bench([...shortest, '--save', 'vanishing/report.json'], {
      onStart: () => {
        // Its time changes when the benchmark proves that it can write there.
        const watch = setInterval(() => {
          if (statSync(vanishing).mtimeMs === 0) return
          clearInterval(watch)
          setTimeout(() => rmSync(vanishing, { recursive: true }), 300)
        }, 20)
      },
    })
    expect(run.exitCode).toBe(1)
    expect(run.stderr).toMatch(/^rowwise-bench: --save: .*vanishing\/report.json could not be written: /)
    const report: Report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')
    expect(report.rows).toHaveLength(2)
    writeFileSync(join(directory, 'rescued.json'), JSON.stringify(report))
    const again = await bench(['show', 'rescued.json', '--html', 'rescued.html'])
    expect([again.exitCode, existsSync(join(directory, 'rescued.html'))]).toEqual([0, true])
  }, 60_000)
})

describe('rowwise-bench accuracy', () => {
  it('logs every seed, and drops the fastest and the slowest', async () => {
    const { runs, mean } = JSON.parse((await bench(['accuracy', '--target', '0.9', '--seeds', '3', '--json'])).stdout)
    expect(runs.map(({ seed, reached }: { seed: number; reached: boolean }) => [seed, reached])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ])
    const middle = [...runs].sort((a, b) => a.seconds - b.seconds)[1]
    expect(mean).toEqual({ seconds: middle.seconds, epochs: middle.epochs, counted: 1 })
  }, 180_000)
})
