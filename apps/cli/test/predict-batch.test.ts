import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasRedis } from '@rowwise/redis-server'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'
import { redis, worker } from './sweep-programs'

const home = temporaryDirectory()

describe('rowwise predict --batch', () => {
  const pictures = join(home, 'pictures')
  const weights = join(home, 'batch', 'model.safetensors')

  beforeAll(async () => {
    writeStripes(join(home, 'data'), { classes: 2 })
    mkdirSync(join(pictures, 'deep'), { recursive: true })
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
    worker(url, home)
    worker(url, home)
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
    [['--batch', join(home, 'data')], 'has no pictures'],
    [['--batch', pictures, '--out', 'x.txt'], 'ends in .csv or .jsonl'],
    [['--batch', pictures, '--index', '3'], 'not both'],
    [['--out', 'x.csv', '--index', '3'], '--out is for --batch'],
  ])('refuses %j', async (args, words) => {
    const { exitCode, stderr } = await rowwise(['predict', '--weights', weights, ...args])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
  })
})
