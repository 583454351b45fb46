import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasRedis, RedisServer } from '@rowwise/redis-server'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { program, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'

const home = temporaryDirectory()
const file = join(home, 'stripes.json')

const definition = {
  train: { data: 'data', validation: 0.2 },
  space: { lr: { logUniform: [1e-3, 1e-1] }, hiddenSize: { choice: [4, 8] } },
  search: { type: 'halving', trials: 6, eta: 2 },
  epochs: 4,
  objective: { metric: 'loss', better: 'lower' },
}

beforeAll(() => {
  writeStripes(join(home, 'data'), { classes: 2 })
  writeFileSync(file, JSON.stringify(definition))
})

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface TrialLine {
  trial: number
  epochs: number
  config: object
  metrics: Record<string, number>
  weights: string
  reason: string | null
}

/** The rows of a sweep without what a clock or a machine makes, by trial and epochs. */
function rowsOf(stdout: string): object[] {
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'trial')
    .map(({ trial, epochs, config, metrics, weights, reason }: TrialLine) => ({
      trial,
      epochs,
      config,
      metrics,
      weights,
      reason,
    }))
    .sort((one, other) => one.trial - other.trial || one.epochs - other.epochs)
}

function worker(url: string, ...more: string[]): ChildProcess {
  const args = ['worker', '--redis', url, '--workers', '1', '--root', home, '--lost-after', '1', ...more]
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  ends.push(() => {
    child.kill('SIGTERM')
    return ended
  })
  return child
}

async function redis(): Promise<RedisServer> {
  const server = await RedisServer.start()
  ends.push(() => server.stop())
  return server
}

describe('rowwise sweep', () => {
  const out = join(home, 'sweeps', 'stripes')

  it('trains the trials, shows the best first, and says where all is', async () => {
    const { exitCode, stdout, stderr } = await rowwise(['sweep', file, '--out', out, '--workers', '2'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^trial {2}epochs +loss +hiddenSize +lr$/m)
    expect(stdout).toMatch(new RegExp(`^Done: 6 trials, \\d+ epochs in .*; in ${out}$`, 'm'))
  })

  it('is done when it is run again, and refuses another sweep in its place', async () => {
    const again = await rowwise(['sweep', file, '--out', out, '--json'])
    expect(again.exitCode).toBe(0)
    const other = join(home, 'other.json')
    writeFileSync(other, JSON.stringify({ ...definition, name: 'stripes', seed: 7 }))
    const { exitCode, stderr } = await rowwise(['sweep', other, '--out', out])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('seed was 0, is now 7')
  })

  it('gives the same rows and the same weights with one worker', async () => {
    const [one, other] = [
      await rowwise(['sweep', file, '--out', out, '--json']),
      await rowwise(['sweep', file, '--workers', '1', '--json']),
    ]
    expect(rowsOf(other.stdout)).toEqual(rowsOf(one.stdout))
  })

  it('trains a trial as rowwise train does: the weights of the best are the same file', async () => {
    const weights = join(home, 'best.safetensors')
    const { stdout } = await rowwise(['sweep', 'best', out, '--weights', weights, '--json'])
    const { config, epochs } = JSON.parse(stdout)
    const settings = [
      '--lr',
      config.lr,
      '--hidden-size',
      config.hiddenSize,
      '--epochs',
      epochs,
      '--validation',
      0.2,
    ].map(String)
    const run = join(home, 'alone')
    await rowwise(['train', '--data', join(home, 'data'), ...settings, '--out', run])
    expect(readFileSync(join(run, 'model.safetensors')).equals(readFileSync(weights))).toBe(true)
  })

  it('tells its status, and exports rows as CSV, JSON and a page that needs nothing else', async () => {
    const status = await rowwise(['sweep', 'status', out])
    expect(status.stdout).toMatch(/^stripes: complete, (\d+) of \1 jobs done; best loss /)
    const names = ['rows.csv', 'rows.json', 'page.html'].map((name) => join(home, name))
    for (const name of names) await rowwise(['sweep', 'export', out, '--to', name])
    const [csv, json, html] = names.map((name) => readFileSync(name, 'utf8'))
    expect(csv.split('\n')[0]).toContain('config.hiddenSize,config.lr,')
    expect(csv.trim().split('\n')).toHaveLength(7)
    expect(Object.keys(JSON.parse(json).importances).sort()).toEqual(['hiddenSize', 'lr'])
    expect([...html.matchAll(/<figure id="(\w+)">.*<svg/g)].map(([, id]) => id)).toEqual([
      'parallel',
      'curves',
      'importance',
    ])
    expect(html).not.toMatch(/<script|<link|src=|href=/)
  })

  it('writes a directory per trial for TensorBoard', async () => {
    const directory = join(home, 'events')
    await rowwise(['sweep', 'export', out, '--tensorboard', directory])
    expect(readdirSync(directory)).toHaveLength(6)
  })

  it('stops at a signal with everything saved, and goes on', async () => {
    const directory = join(home, 'stopped')
    const slow = join(home, 'slow.json')
    writeFileSync(slow, JSON.stringify({ ...definition, epochs: 80, search: { type: 'random', trials: 3 } }))
    const args = ['sweep', slow, '--out', directory, '--workers', '1', '--json']
    let isTold = false
    const first = await rowwise(args, {
      onOutput(text, child) {
        if (isTold || !text.includes('"trial":0')) return
        isTold = child.kill('SIGINT')
      },
    })
    expect(first.exitCode).toBe(130)
    const second = await rowwise(args)
    expect(rowsOf(second.stdout)).toEqual(rowsOf((await rowwise([...args.slice(0, 2), '--json'])).stdout))
  })

  it.skipIf(smallDiskMissing)('loses nothing when the disk is full, and goes on when it is not', async () => {
    const sweepTo = (place: string) => `${process.execPath} ${program} sweep ${file} --out "${place}" --json`
    const { stdout, stderr } = await onSmallDisk(
      '900k',
      `dd if=/dev/zero of="$DISK/filler" bs=1k count=700 2>/dev/null
       ${sweepTo('$DISK/sweep')} >/dev/null; echo "exit $?"
       rm "$DISK/filler"
       ${sweepTo('$DISK/sweep')}; echo "exit $?"`,
    )
    expect(stdout).toMatch(/^exit 1$/m)
    expect(stderr).toMatch(/^rowwise: .*the disk is full.*run the same command again$/m)
    expect(stdout).toMatch(/exit 0\n$/)
    const alone = await rowwise(['sweep', file, '--json'])
    expect(rowsOf(stdout.replace(/^exit \d$/gm, ''))).toEqual(rowsOf(alone.stdout))
  })

  it('runs trials of one’s own, in TypeScript, and keeps what they print out of the output', async () => {
    const own = join(home, 'own.ts')
    writeFileSync(
      own,
      `interface Trial { config: { x: number } }
      export default { space: { x: { uniform: [0, 1] } }, search: { type: 'sobol', trials: 4 }, objective: { metric: 'loss', better: 'lower' } }
      export function trial({ config }: Trial) { console.log('noise'); return { metrics: { loss: config.x ** 2 } } }`,
    )
    const { exitCode, stdout, stderr } = await rowwise(['sweep', own, '--json'])
    expect([exitCode, stderr]).toEqual([0, 'noise\n'.repeat(4)])
    expect(rowsOf(stdout)).toHaveLength(4)
  })

  it.each([
    [
      { ...definition, space: { learningRate: { uniform: [0, 1] } } },
      "space has 'learningRate', which is not a setting",
    ],
    [{ ...definition, space: { hiddenSize: { uniform: [4, 8] } } }, 'space.hiddenSize:'],
    [{ ...definition, space: { lr: { uniform: [-1, 1] } } }, 'space.lr:'],
    [{ ...definition, space: { data: { choice: ['/etc'] } } }, "space has 'data'"],
    [{ ...definition, train: { lr: 'big' } }, 'train.lr:'],
    [{ ...definition, trials: 4 }, "has 'trials', expected some of name, train, space"],
    [{ ...definition, search: undefined }, 'search is undefined'],
    ['{', 'is not JSON'],
  ])('refuses what it cannot run, before it starts: %j', async (content, words) => {
    const bad = join(temporaryDirectory(), 'bad.json')
    writeFileSync(bad, typeof content === 'string' ? content : JSON.stringify(content))
    const { exitCode, stderr } = await rowwise(['sweep', bad])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it.each([
    [['sweep', 'nothing.json'], 'nothing.json cannot be read'],
    [['sweep', 'status', 'nowhere'], 'nowhere holds no sweep'],
    [['sweep', file, '--redis', 'localhost:6379'], 'is not an address of Redis'],
    [['sweep', file, '--redis', 'redis://127.0.0.1:1', '--out', 'x'], '--out is for this machine alone'],
    [['sweep', file, '--redis', 'redis://:secret@127.0.0.1:1'], 'redis://127.0.0.1:1: cannot be reached'],
    [['sweep', file, '--files', 'x'], '--files is what machines share'],
    [['worker'], 'which queue?'],
    [['sweep', 'export', out, '--to', 'x.png'], 'ends in .csv, .json or .html'],
  ])('has one line for %j', async (args, words) => {
    const { exitCode, stderr } = await rowwise(args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('secret')
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe.skipIf(!hasRedis)('rowwise sweep --redis', () => {
  it('gives the rows and weights of one machine with three workers, one of them killed', {
    timeout: 60_000,
  }, async () => {
    const { url } = await redis()
    const [first] = [worker(url), worker(url), worker(url)]
    const many = await rowwise(['sweep', file, '--redis', url, '--json'], {
      onOutput: (text) => void (text.split('\n').length > 2 && first.kill('SIGKILL')),
    })
    expect(many.exitCode).toBe(0)
    const alone = await rowwise(['sweep', file, '--json'])
    expect(rowsOf(many.stdout)).toEqual(rowsOf(alone.stdout))
    expect(rowsOf(many.stdout).every((row) => /^[0-9a-f]{64}$/.test((row as TrialLine).weights))).toBe(true)
    const weights = join(home, 'redis.safetensors')
    const best = await rowwise(['sweep', 'best', 'stripes', '--redis', url, '--weights', weights, '--json'])
    expect(JSON.parse(best.stdout).file).toBe(weights)
  })

  it('makes rows of trials whose data would lead out of a worker’s directory', { timeout: 60_000 }, async () => {
    const { url } = await redis()
    worker(url)
    const outside = join(home, 'outside.json')
    const train = { ...definition.train, data: '../data' }
    writeFileSync(outside, JSON.stringify({ ...definition, train, search: { type: 'random', trials: 1 } }))
    const { exitCode, stdout } = await rowwise(['sweep', outside, '--redis', url])
    expect(exitCode).toBe(1)
    expect(stdout).toContain("data is ../data, which leads out of the worker's directory")
  })
})

describe('rowwise predict --batch', () => {
  const pictures = join(home, 'pictures')
  const weights = join(home, 'batch', 'model.safetensors')

  beforeAll(async () => {
    mkdirSync(join(pictures, 'deep'), { recursive: true })
    const { PNG } = await import('pngjs')
    for (let n = 0; n < 300; n++) {
      const picture = new PNG({ width: 4, height: 4 })
      for (let pixel = 0; pixel < 16; pixel++)
        picture.data.set([...Array(3).fill((pixel * 37 + n * 11) % 256), 255], 4 * pixel)
      writeFileSync(join(pictures, n % 2 ? 'deep' : '', `${n}.png`), PNG.sync.write(picture))
    }
    writeFileSync(join(pictures, 'broken.png'), 'no picture')
    await rowwise([
      'train',
      '--data',
      join(home, 'data'),
      '--class-names',
      'a,b',
      '--epochs',
      '1',
      '--out',
      join(home, 'batch'),
    ])
  }, 60_000)

  const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split('\n')

  it('says what every picture shows, in the order of their names, and why not', async () => {
    const out = join(home, 'predictions.jsonl')
    const { exitCode, stdout, stderr } = await rowwise([
      'predict',
      '--batch',
      pictures,
      '--weights',
      weights,
      '--out',
      out,
    ])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^301 predictions, 1 of which could not be read in .*; in /)
    const rows = linesOf(out).map((line) => JSON.parse(line))
    expect(rows.map(({ file: name }) => name)).toEqual(rows.map(({ file: name }) => name).sort())
    const alone = await rowwise(['predict', join(pictures, rows[5].file), '--weights', weights, '--json'])
    expect(rows[5].probabilities.a).toBeCloseTo(JSON.parse(alone.stdout).probabilities.a, 5)
    expect(rows.find(({ file: name }) => name === 'broken.png').error).toContain('is not a PNG file')
    expect(readdirSync(home)).not.toContain('predictions.jsonl.parts')
  })

  it.skipIf(!hasRedis)('gives the same file on Redis', { timeout: 60_000 }, async () => {
    const { url } = await redis()
    worker(url)
    worker(url)
    const [one, other] = [join(home, 'one.csv'), join(home, 'other.csv')]
    await rowwise(['predict', '--batch', pictures, '--weights', weights, '--out', one])
    await rowwise(['predict', '--batch', 'pictures', '--weights', weights, '--out', other, '--redis', url], {
      cwd: home,
    })
    expect(linesOf(other)).toEqual(linesOf(one))
    expect(linesOf(one)).toHaveLength(302)
  })

  it('forecasts after every window of a CSV file', async () => {
    const csv = join(home, 'wave.csv')
    writeFileSync(
      csv,
      ['a,b', ...Array.from({ length: 400 }, (_, t) => `${Math.sin(t / 8)},${Math.cos(t / 8)}`)].join('\n'),
    )
    const series = join(home, 'series')
    await rowwise([
      'train',
      '--csv',
      csv,
      '--target',
      'a',
      '--window',
      '8',
      '--horizon',
      '2',
      '--epochs',
      '1',
      '--out',
      series,
    ])
    const model = join(series, 'model.safetensors')
    const out = join(home, 'forecasts.csv')
    const { exitCode } = await rowwise(['predict', '--batch', csv, '--weights', model, '--out', out])
    expect(exitCode).toBe(0)
    const lines = linesOf(out)
    expect(lines[0]).toBe('row,a+1,a+2')
    expect(lines).toHaveLength(1 + 393)
    const alone = JSON.parse((await rowwise(['predict', '--csv', csv, '--weights', model, '--json'])).stdout)
    const [row, first, second] = (lines.at(-1) ?? '').split(',').map(Number)
    expect(row).toBe(401)
    expect([first, second]).toEqual(alone.forecast.map(({ a }: { a: number }) => expect.closeTo(a, 5)))
  })

  it.each([
    [['--batch', 'nowhere'], 'nowhere cannot be read'],
    [['--batch', join(home, 'data')], 'has no .png files'],
    [['--batch', pictures, '--out', 'x.txt'], 'ends in .csv or .jsonl'],
    [['--batch', pictures, '--index', '3'], 'not both'],
    [['--out', 'x.csv', '--index', '3'], '--out is for --batch'],
  ])('refuses %j', async (args, words) => {
    const { exitCode, stderr } = await rowwise(['predict', '--weights', weights, ...args])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
  })
})
