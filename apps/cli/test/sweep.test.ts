import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasRedis } from '@rowwise/redis-server'
import { beforeAll, describe, expect, it } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { program, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'
import { redis, rowsOf, type TrialLine, worker } from './sweep-programs'

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
    const [first] = [worker(url, home), worker(url, home), worker(url, home)]
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
    worker(url, home)
    const outside = join(home, 'outside.json')
    const train = { ...definition.train, data: '../data' }
    writeFileSync(outside, JSON.stringify({ ...definition, train, search: { type: 'random', trials: 1 } }))
    const { exitCode, stdout } = await rowwise(['sweep', outside, '--redis', url])
    expect(exitCode).toBe(1)
    expect(stdout).toContain("data is ../data, which leads out of the worker's directory")
  })
})
