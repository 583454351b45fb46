import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Goal, goalsOf } from '../src/report/goals'
import type { Report, Row } from '../src/report/report'
import { withoutPaths } from '../src/show/docs-page'
import { missedIn } from '../src/show/missed'
import { goalTable, tablesOf } from '../src/show/tables'
import { captionOf, panelsOf } from '../src/show/throughput-chart'
import { runBench, storedReport } from './run-bench'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-pages-'))
const browser = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
const report: Report = JSON.parse(readFileSync(storedReport, 'utf8'))
const [docsPage, docsChart] = [join(directory, 'docs/benchmarks.md'), join(directory, 'docs/bench/throughput.svg')]
const htmlPage = join(directory, 'report.html')
const cells = (line: string): string[] => line.split('|').map((cell) => cell.trim())

beforeAll(async () => {
  await runBench(['show', storedReport, '--docs', 'docs', '--html', 'report.html'], { where: directory })
}, 60_000)

describe('benchmarks.md', () => {
  const page = (): string => readFileSync(docsPage, 'utf8')

  it('says in its first line that it is not to be edited', () => {
    expect(page().split('\n')[0]).toMatch(/^<!-- Written by `rowwise-bench --docs`\. Do not edit/)
  })

  it('says where, when, on what and by which command it was measured, and how', () => {
    const { machine, date, peakGflops, quiet } = report
    for (const part of [machine.cpu, machine.os, `${machine.memoryGiB} GiB`, machine.node, 'ours also on 20.20.2']) {
      expect(page()).toContain(part)
    }
    for (const part of [date.slice(0, 10), peakGflops.toFixed(1), `${quiet.disturbed} began on a busy machine`]) {
      expect(page()).toContain(part)
    }
    expect(page()).toContain('rowwise-bench --peers --chromium --node node --python venv/bin/python')
  })

  it('has every table of the report, with every figure', () => {
    const lines = new Set(
      page()
        .split('\n')
        .map((line) => cells(line).join('|')),
    )
    const missing = tablesOf(report).flatMap(({ head, rows }) =>
      [head, ...rows].filter((row) => !lines.has(['', ...row, ''].join('|'))),
    )
    expect(missing).toEqual([])
  })

  it('says of each goal whether the aim was reached, only what must hold, or not even that', () => {
    const results = page()
      .split('\n')
      .filter((line) => / × \|| % \|| MiB \|/.test(line))
      .map(cells)
      .filter((row) => row.length === 8)
      .map((row) => row[6])
    expect(results).toEqual(goalsOf(report).map(({ verdict }) => verdict ?? '-'))
    expect(new Set(results)).toEqual(new Set(['aim', 'at least', 'missed', '-']))
  })

  it('lists what was missed, what is short of its aim, and which peers are faster', () => {
    const missed = goalsOf(report).filter(({ verdict }) => verdict === 'missed')
    const bullet = ({ measure, on }: Goal) => `- ${measure[0].toUpperCase()}${measure.slice(1)}, on ${on}: `
    expect(missed.map(bullet).filter((line) => !page().includes(line))).toEqual([])
    expect(page()).toMatch(/^- Prediction 64: onnxruntime, 1 thread: 1\.260 ms; Rowwise, .* × as fast\.$/m)
  })

  it('says above its figures why they may be wrong', () => {
    const above = page().slice(0, page().indexOf('!['))
    expect(above).toMatch(/^> \*\*These figures may be wrong\.\*\* 265 of 279 runs began while something else used/m)
  })

  it('lists what was not measured', () => {
    expect(page()).toContain('- tfjs-layers, wasm, train 1000: left out: a step would take about')
  })

  it('names no directory of the machine', () => {
    expect(page()).not.toContain('/opt/')
    expect(withoutPaths('spawn /home/me/node ENOENT, file:///home/me/a.js, "../../me/b", @scope/name, samples/s')).toBe(
      'spawn node ENOENT, a.js, "b", @scope/name, samples/s',
    )
  })
})

describe('what was missed', () => {
  it('is nothing where every aim was reached and no peer is faster', () => {
    expect(missedIn({ ...report, rows: [], growth: [], programs: [] })).toBe(
      'Nothing: every aim was reached, and no peer was faster.',
    )
  })
})

describe('the table of goals', () => {
  it('shows a figure under its aim as no more than "at least"', () => {
    const rows = goalTable(report).rows.filter(
      ([measure]) => measure === 'training 64 without WASM, against tfjs-layers on cpu',
    )
    expect(rows).toEqual([[expect.any(String), 'Node 26.10', '7.23 ×', '5 ×', '10 ×', 'at least']])
  })
})

describe('the chart of throughput', () => {
  const bar = (subject: string, samplesPerSecond: number): Row => {
    const [library, runtime] = subject.split(', ')
    const isOurs = library === 'Rowwise'
    return {
      subject,
      library,
      runtime: isOurs ? runtime : '',
      isOurs,
      kind: 'train',
      batch: 64,
      samplesPerSecond,
    } as Row
  }

  it('has a panel for training and one for prediction, of seven bars at most, the fastest first', () => {
    const panels = panelsOf(report.rows)
    expect(panels.map(({ kind, batch, bars }) => [kind, batch, bars.length])).toEqual([
      ['train', 64, 7],
      ['predict', 64, 7],
    ])
    const rates = panels[0].bars.map(({ samplesPerSecond }) => samplesPerSecond)
    expect(rates).toEqual([...rates].sort((a, b) => b - a))
  })

  it('shows the fastest thread count of each, three of ours at most, then peers by throughput', () => {
    const rows = [
      ...['1', '2', '3', '4', '5'].map((peer, index) => bar(`peer ${peer}`, 100 + index)),
      ...['Node 20.20', 'Node 24.21', 'Node 26.10', 'Chromium 156'].map((host, k) =>
        bar(`Rowwise, ${host}, 2 threads`, k + 1),
      ),
      bar('Rowwise, Node 26.10, 1 thread', 2.5),
    ]
    const [{ bars, leftOut }] = panelsOf(rows)
    expect(bars.map(({ subject }) => subject)).toEqual([
      ...['peer 5', 'peer 4', 'peer 3', 'peer 2'],
      ...['Rowwise, Chromium 156, 2 threads', 'Rowwise, Node 26.10, 2 threads', 'Rowwise, Node 24.21, 2 threads'],
    ])
    expect(leftOut).toEqual(['peer 1', 'Rowwise, Node 20.20, 2 threads'])
    expect(captionOf(panelsOf(rows))).toContain('Not drawn: in training peer 1 and Rowwise, Node 20.20, 2 threads.')
  })

  it('has ours in one colour and peers in another, whole labels, and each bar’s value', () => {
    const svg = readFileSync(docsChart, 'utf8')
    const colours = [...svg.matchAll(/aria-roledescription="bar"[^>]*fill="(#\w+)"/g)].map(([, colour]) => colour)
    expect([colours.length, new Set(colours).size]).toEqual([14, 2])
    const texts = [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text)
    const bars = panelsOf(report.rows).flatMap((panel) => panel.bars)
    for (const { subject, samplesPerSecond } of bars) {
      expect(texts).toContain(subject)
      expect(texts).toContain(Math.round(samplesPerSecond).toLocaleString('en-US'))
    }
    expect(texts.filter((text) => text.includes('…'))).toEqual([])
  })

  it('has linear axes from zero: a bar’s length is its value', () => {
    const svg = readFileSync(docsChart, 'utf8')
    const widths = [...svg.matchAll(/aria-roledescription="bar"[^>]*d="M0,[\d.]+h([\d.]+)/g)].map(([, width]) =>
      Number(width),
    )
    const [{ bars }] = panelsOf(report.rows)
    const perSample = bars.map(({ samplesPerSecond }, index) => widths[index] / samplesPerSecond)
    expect(perSample.map((ratio) => Number((ratio / perSample[0]).toFixed(2)))).toEqual(Array(7).fill(1))
  })

  it('paints its own background, for light and for dark pages', () => {
    expect(readFileSync(docsChart, 'utf8')).toMatch(/prefers-color-scheme: dark[\s\S]*<rect class="card" width="100%"/)
  })
})

describe.skipIf(!existsSync(browser))('the page of --html in a browser', () => {
  it.each([
    ['on a phone in the dark', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
    ['on a wide screen in the light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ] as const)(
    'has its charts %s, with no script and no request',
    async (_, options) => {
      const running = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] })
      try {
        const tab = await running.newPage(options)
        const requests: string[] = []
        tab.on('request', (request) => requests.push(request.url()))
        await tab.goto(`file://${htmlPage}`)
        const marks = [
          ...['#throughput .mark-rect path', '#latency .mark-symbol path', '#growth .mark-line path'],
          '#training .mark-line path',
        ]
        const counts = await Promise.all(marks.map((mark) => tab.locator(mark).count()))
        expect(counts.every((count) => count > 0)).toBe(true)
        expect(await tab.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
        const [text, background] = (await tab.evaluate(
          '[getComputedStyle(document.querySelector("svg text")).fill, getComputedStyle(document.body).color]',
        )) as string[]
        expect(text).toBe(background)
        expect(requests).toEqual([`file://${htmlPage}`])
      } finally {
        await running.close()
      }
    },
    60_000,
  )

  it('has every table of the report', async () => {
    const html = readFileSync(htmlPage, 'utf8')
    const missing = tablesOf(report).flatMap(({ rows }) =>
      rows.flat().filter((cell) => !html.includes(`>${cell}</td>`)),
    )
    expect(missing).toEqual([])
  })
})
