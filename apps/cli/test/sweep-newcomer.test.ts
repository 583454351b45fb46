import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasRedis } from '@rowwise/redis-server'
import { beforeAll, describe, expect, it } from 'vitest'
import { program, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'
import { redis, rowsOf, worker } from './sweep-programs'

const home = temporaryDirectory()

const definition = {
  train: { data: 'data', validation: 0.2 },
  space: { lr: { choice: [0.01, 0.1] } },
  search: { type: 'grid' },
  epochs: 2,
}

/** A file of a sweep in the home of the tests. */
function file(name: string, content: object | string): string {
  const path = join(home, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const ownTrial = (name: string) => `export default {
  space: { x: { choice: [1, 2] } }, search: { type: 'grid' }, objective: { metric: 'loss', better: 'lower' } }
export const ${name} = ({ config }) => ({ metrics: { loss: config.x } })`

const ended = (child: ChildProcess) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))

beforeAll(() => writeStripes(join(home, 'data'), { classes: 2 }))

describe('a sweep of a newcomer', () => {
  it('goes on at once after kill -9', { timeout: 60_000 }, async () => {
    const path = file('killed.json', { ...definition, epochs: 300 })
    const args = ['sweep', path, '--out', join(home, 'killed'), '--workers', '2', '--json']
    const first = await rowwise(args, { killAfter: 900 })
    expect(first.signal).toBe('SIGKILL')
    const { exitCode, stdout, stderr } = await rowwise(args)
    expect([exitCode, stderr]).toEqual([0, ''])
    const alone = await rowwise(['sweep', path, '--json'])
    expect(rowsOf(stdout)).toEqual(rowsOf(alone.stdout))
  })

  it('tries again what failed, when it is told to', async () => {
    const path = file('flaky.js', ownTrial('trial').replace('config.x }', 'process.env.BROKEN ? missing : config.x }'))
    const args = ['sweep', path, '--out', join(home, 'flaky'), '--json']
    const before = await rowwise(args, { env: { BROKEN: '1' } })
    expect(before.exitCode).toBe(1)
    expect((await rowwise(args)).exitCode).toBe(1)
    expect((await rowwise([...args, '--retry-failed'])).exitCode).toBe(0)
  })

  it.each([
    ['1n', /its report is no plain data: Do not know how to serialize a BigInt/],
    ['Number.NaN', /its report has NaN or an infinite number as loss, expected a finite number/],
  ])('is told why a trial that reports %s has failed, and no process died', async (value, message) => {
    const path = file(`odd-${value.length}.js`, ownTrial('trial').replace('config.x }', `${value} }`))
    const { exitCode, stdout, stderr } = await rowwise([
      'sweep',
      path,
      '--out',
      join(home, `odd-${value.length}`),
      '--json',
    ])
    expect([exitCode, stderr]).toEqual([1, expect.not.stringMatching(/ at .*\.js:/)])
    expect(stdout + stderr).toMatch(message)
  })

  it('takes dropout for none where there is one layer', async () => {
    const space = { numLayers: { choice: [1, 2] }, dropout: { choice: [0.3] } }
    const { exitCode, stdout } = await rowwise(['sweep', file('dropout.json', { ...definition, space }), '--json'])
    expect(exitCode).toBe(0)
    expect(rowsOf(stdout)).toHaveLength(2)
    expect(stdout).not.toContain('"status":"failed"')
  })

  it('is told when a halving is too small to train anything in full', async () => {
    const search = { type: 'halving', trials: 2 }
    const { stderr } = await rowwise(['sweep', file('small.json', { ...definition, search, epochs: 9 })])
    expect(stderr).toMatch(/^rowwise: of 2 trials none is trained for all 9 epochs; that wants 9 trials/)
  })

  it.each([
    ['misnamed.js', ownTrial('Trial'), "exports no function 'trial', and has no 'train'"],
    ['nothing.js', 'export const x = 1', 'has no sweep as its default export'],
    ['missing.json', { ...definition, train: { data: 'nowhere' } }, 'train.data is nowhere, and'],
    ['csv.json', { ...definition, train: { csv: 'data' } }, 'train.csv wants train.window'],
    ['metric.json', { ...definition, objective: { metric: 'f1', better: 'higher' } }, 'objective.metric is f1'],
  ])('is refused before a trial: %s', async (name, content, words) => {
    const { exitCode, stderr } = await rowwise(['sweep', file(name, content)])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('is kept out of a directory that holds something else', async () => {
    const directory = join(home, 'full')
    mkdirSync(directory)
    writeFileSync(join(directory, 'model.safetensors'), '')
    const { exitCode, stderr } = await rowwise(['sweep', file('other.json', definition), '--out', directory])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('holds other files, such as model.safetensors')
  })

  it.each([
    ['--to', ['export', '--to', '/proc/nowhere/rows.csv']],
    ['--weights', ['best', '--weights', '/proc/nowhere/w.safetensors']],
  ])('names %s when that cannot be written', async (option, [command, ...more]) => {
    const directory = join(home, 'written')
    await rowwise(['sweep', file('written.json', definition), '--out', directory])
    const { exitCode, stderr } = await rowwise(['sweep', command, directory, ...more])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${option} /proc/nowhere`)
  })
})

describe.skipIf(!hasRedis)('a newcomer with Redis', () => {
  it('stops a sweep although Redis is gone', { timeout: 60_000 }, async () => {
    const server = await redis()
    const args = [program, 'sweep', file('gone.json', definition), '--redis', server.url]
    const sweep = spawn(process.execPath, args, { stdio: 'ignore' })
    await sleep(1500)
    await server.stop()
    sweep.kill('SIGTERM')
    expect(await ended(sweep)).toBe(143)
  })

  it('is told that no worker is there', { timeout: 60_000 }, async () => {
    const { url } = await redis()
    const { stderr } = await rowwise(['sweep', file('lonely.json', definition), '--redis', url], {
      onStart: (child) => void setTimeout(() => child.kill('SIGINT'), 8000),
    })
    expect(stderr).toContain('2 jobs wait and no worker is there; start one: rowwise worker')
  })

  it('who starts a worker for other jobs is told so, and no trial has failed', { timeout: 60_000 }, async () => {
    const { url } = await redis()
    const own = file('own.mjs', ownTrial('trial'))
    const sweep = rowwise(['sweep', own, '--redis', url, '--json'])
    const wrong = await rowwise(['worker', '--redis', url, '--workers', '1'])
    expect(wrong.exitCode).toBe(1)
    expect(wrong.stderr).toContain('its sweep has a trial of its own; start the worker with --module')
    const right = await rowwise(['worker', '--redis', url, '--module', own, '--idle', '1', '--workers', '1'])
    expect(right.exitCode).toBe(0)
    expect(rowsOf((await sweep).stdout).map((row) => (row as { reason: string }).reason)).toEqual([null, null])
  })

  it.each([
    [['--root', 'nowhere'], '--root nowhere is not there'],
    [['--module', 'nowhere.ts'], '--module nowhere.ts cannot be loaded'],
    [['--module', join(home, 'misnamed.js')], "exports no function 'trial'"],
  ])('has a worker that cannot work refused: %j', async (args, words) => {
    file('misnamed.js', ownTrial('Trial'))
    const { exitCode, stderr } = await rowwise(['worker', '--redis', 'redis://127.0.0.1:1', ...args])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
  })

  it('predicts a batch again into another file', { timeout: 60_000 }, async () => {
    const { url } = await redis()
    worker(url, home)
    const rows = Array.from({ length: 60 }, (_, t) => Math.sin(t))
    const csv = file('wave.csv', `a\n${rows.join('\n')}\n`)
    const run = join(home, 'wave')
    await rowwise(['train', '--csv', csv, '--target', 'a', '--window', '4', '--epochs', '1', '--out', run])
    const predict = ['predict', '--weights', join(run, 'model.safetensors'), '--redis', url]
    for (const out of ['one.csv', 'other.csv']) {
      const { exitCode, stdout } = await rowwise([...predict, '--batch', 'wave.csv', '--out', out], { cwd: home })
      expect([exitCode, stdout.split(' in ')[0]]).toEqual([0, '57 predictions'])
    }
    const outside = await rowwise([...predict, '--batch', csv])
    expect([outside.exitCode, outside.stderr]).toEqual([
      2,
      expect.stringContaining("leads out of the workers' directory"),
    ])
  })
})
