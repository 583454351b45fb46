import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { program, rowwise, shell, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'

const home = temporaryDirectory()
const data = join(home, 'data')
const run = join(home, 'run')
const weights = join(run, 'model.safetensors')
const csv = join(home, 'table.csv')
const ofCsv = join(home, 'of-csv', 'model.safetensors')
const isWindows = process.platform === 'win32'

beforeAll(async () => {
  writeStripes(data, { classes: 2 })
  const rows = Array.from({ length: 120 }, (_, t) => [Math.sin(t / 5), t < 100 ? 3 : 4, 7])
  writeFileSync(csv, ['a,late,same', ...rows.map((row) => row.join())].join('\n'))
  await rowwise(['train', '--data', data, '--class-names', 'a,b', '--epochs', '2', '--out', run])
  const series = ['--csv', csv, '--columns', 'a,late', '--target', 'a', '--window', '5', '--epochs', '1']
  await rowwise(['train', ...series, '--out', join(home, 'of-csv')])
}, 60_000)

function picturesOf(folder: string, names: readonly string[]): void {
  for (const [k, name] of names.entries()) {
    mkdirSync(join(folder, name), { recursive: true })
    for (let n = 0; n < 4; n++) {
      const picture = new PNG({ width: 4, height: 4 })
      for (let pixel = 0; pixel < 16; pixel++)
        picture.data.set([...Array(3).fill((pixel * 16 * (k + 1)) % 256), 255], 4 * pixel)
      writeFileSync(join(folder, name, `${n}.png`), PNG.sync.write(picture))
    }
  }
}

describe('pictures of a class that nobody knows', () => {
  it('are refused in the test pictures, and beside classes that are named', async () => {
    const halves = join(home, 'halves')
    picturesOf(join(halves, 'train'), ['rows', 'columns'])
    picturesOf(join(halves, 'test'), ['rows', 'columns', 'diagonals'])
    const trained = await rowwise(['train', '--images', halves, '--epochs', '1', '--out', join(home, 'unknown')])
    expect([trained.exitCode, trained.stderr]).toEqual([
      2,
      expect.stringMatching(/diagonals has 4 pictures of none of the classes columns, rows; take it out/),
    ])
    const named = ['--images', join(halves, 'test'), '--class-names', 'rows,columns']
    expect((await rowwise(['train', ...named, '--out', join(home, 'named')])).stderr).toMatch(
      /diagonals has 4 pictures/,
    )
  })
})

describe('an output', () => {
  it.skipIf(isWindows)('goes to the file that a link leads to', async () => {
    const [target, link] = [join(home, 'target.onnx'), join(home, 'link.onnx')]
    writeFileSync(target, 'old')
    symlinkSync(target, link)
    expect((await rowwise(['export', '--weights', weights, '--to', 'onnx', '--out', link])).exitCode).toBe(0)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(target).length).toBeGreaterThan(1000)
  })

  it.skipIf(isWindows)('goes into a pipe, and into /dev/stdout, which stay what they are', async () => {
    const pipe = join(home, 'pipe')
    await shell(`mkfifo "${pipe}"`)
    const command = `"${process.execPath}" "${program}" export --weights "${weights}" --to safetensors --out`
    const { stdout } = await shell(`cat "${pipe}" | wc -c & ${command} "${pipe}"; wait`)
    expect(Number(stdout.trim())).toBeGreaterThan(1000)
    expect(lstatSync(pipe).isFIFO()).toBe(true)
    const piped = await shell(`${command} /dev/stdout | wc -c`)
    expect(Number(piped.stdout.trim())).toBe(Number(stdout.trim()))
    const added = await shell(`echo before > all; ${command} /dev/stdout >> all; wc -c < all`)
    expect(Number(added.stdout.trim())).toBe(Number(stdout.trim()) + 'before\n'.length)
    const both = await shell(`${command} /dev/stdout --json`)
    expect([both.exitCode, both.stderr]).toEqual([2, expect.stringMatching(/is where --json prints; leave one out/)])
  })

  it.each([
    ['-', /--out is '-', expected the name of a file; what goes on in a pipe is \/dev\/stdout/],
    ['.', /--out \. is a directory; name a file in it/],
  ])('is refused where it is %s', async (out, message) => {
    const { exitCode, stderr } = await rowwise(['export', '--weights', weights, '--to', 'onnx', '--out', out])
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('is refused where it is the input', async () => {
    const mine = join(home, 'mine.csv')
    cpSync(csv, mine)
    const { exitCode, stderr } = await rowwise(['predict', '--batch', mine, '--weights', ofCsv, '--out', mine])
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/--out .*mine\.csv is the input, which would be lost/),
    ])
    expect(readFileSync(mine, 'utf8')).toBe(readFileSync(csv, 'utf8'))
  })
})

describe('a file that a run needs', () => {
  it.skipIf(isWindows)('is no output, also behind a link, nor that of predictions', async () => {
    const link = join(home, 'latest')
    symlinkSync(join(run, 'config.json'), link)
    const exported = await rowwise(['export', '--weights', weights, '--to', 'onnx', '--out', link])
    expect([exported.exitCode, exported.stderr]).toEqual([2, expect.stringMatching(/is a file of a run or a sweep/)])
    const metrics = join(home, 'of-csv', 'metrics.jsonl')
    const before = readFileSync(metrics, 'utf8')
    const predicted = await rowwise(['predict', '--batch', csv, '--weights', ofCsv, '--out', metrics])
    expect([predicted.exitCode, predicted.stderr]).toEqual([2, expect.stringMatching(/is a file of a run or a sweep/)])
    expect(readFileSync(metrics, 'utf8')).toBe(before)
  })
})

describe('--force', () => {
  it.each([
    ['checkpoints/mine.txt', 'precious'],
    ['config.json', '{"mine":1}'],
  ])('removes no %s of another program', async (name, content) => {
    const directory = join(temporaryDirectory(), 'project')
    mkdirSync(join(directory, 'checkpoints'), { recursive: true })
    if (name === 'config.json') execFileSync('rmdir', [join(directory, 'checkpoints')])
    writeFileSync(join(directory, name), content)
    if (name === 'config.json') cpSync(weights, join(directory, 'model.safetensors')) // as other programs have them
    const { exitCode, stderr } = await rowwise([
      'train',
      '--data',
      data,
      '--epochs',
      '1',
      '--force',
      '--out',
      directory,
    ])
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining(`has ${name}, which is no run's; choose another directory`),
    ])
    expect(readFileSync(join(directory, name), 'utf8')).toBe(content)
  })

  it('replaces a run, also one with TensorBoard', async () => {
    const out = join(home, 'again')
    const train = ['train', '--data', data, '--epochs', '1', '--tensorboard', '--out', out]
    expect((await rowwise(train)).exitCode).toBe(0)
    expect((await rowwise([...train, '--force'])).exitCode).toBe(0)
    expect(existsSync(join(out, 'model.safetensors'))).toBe(true)
  })
})

describe('a time series', () => {
  it('may have an input that is the same in all rows that train', async () => {
    const series = ['--csv', csv, '--target', 'a', '--window', '5', '--epochs', '1', '--out', join(home, 'flat')]
    const { exitCode, stdout } = await rowwise(['train', ...series])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('reads a, late, same')])
  })

  it.each([
    [
      'a target that is the same',
      ['--target', 'same'],
      /all numbers of same in the rows that train are 7, .*choose another --target/,
    ],
    [
      'a share that leaves nothing',
      ['--target', 'a', '--validation', '0.99'],
      /of which 0 would train, .*choose another --validation/,
    ],
    ['a quote between values', ['--target', 'a', '--delimiter', '"'], /expected one character that is no quote/],
  ])('is refused with %s', async (_, given, message) => {
    const { exitCode, stderr } = await rowwise([
      'train',
      '--csv',
      csv,
      '--window',
      '5',
      ...given,
      '--out',
      join(home, 'no'),
    ])
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
  })
})

describe('options that would be passed over', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'workers of one image',
      () => ['predict', '--index', '3', '--weights', weights, '--workers', '3'],
      /--workers is for --batch/,
    ],
    [
      'a mean of a table',
      () => ['predict', '--batch', csv, '--weights', ofCsv, '--mean', '1'],
      /--mean is for images, and --batch is a time series/,
    ],
    [
      'a mean alone',
      () => ['test', '--weights', weights, '--data', data, '--mean', '0'],
      /--mean and --std belong together/,
    ],
    [
      'two places of test data',
      () => ['test', '--weights', weights, '--data', data, '--source', 'npm'],
      /--data is .* leave one out/,
    ],
    ['two places of data', () => ['train', '--data', data, '--source', 'npm'], /--data is .* leave one out/],
    [
      'a setting twice',
      () => ['train', '--data', data, '--schedule', 'stepLR:stepSize=1,stepSize=2', '--out', join(home, 'twice')],
      /stepSize is there twice/,
    ],
  ])('are refused: %s', async (_, args, message) => {
    const { exitCode, stderr } = await rowwise(args())
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('are refused in a sweep that searches for what is given', async () => {
    const file = join(home, 'both.json')
    const sweep = {
      train: { data, lr: 0.1 },
      space: { lr: { choice: [0.1, 0.2] } },
      search: { type: 'grid' },
      epochs: 1,
    }
    writeFileSync(file, JSON.stringify(sweep))
    expect((await rowwise(['sweep', 'run', file])).stderr).toMatch(/lr is in train and in space, .*leave one out/)
  })
})

describe('--resume', () => {
  it('refuses fewer epochs than were done, and leaves the run as it was', async () => {
    const config = readFileSync(join(run, 'config.json'), 'utf8')
    const { exitCode, stderr } = await rowwise(['train', '--resume', run, '--epochs', '1'])
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/--epochs is 1, the run in .* has done 2; pass more/)])
    expect(readFileSync(join(run, 'config.json'), 'utf8')).toBe(config)
  })
})

describe('--json', () => {
  it('says what went wrong for machines, too', async () => {
    const { exitCode, stdout, stderr } = await rowwise(['predict', '--weights', 'nowhere', '--index', '0', '--json'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toEqual({
      type: 'error',
      code: expect.stringMatching(/^[A-Z_]+$/),
      message: expect.stringContaining('nowhere'),
    })
    expect(stderr).toMatch(/^rowwise: .*nowhere/)
    const misspelt = await rowwise(['predict', '--json', '--bogus'])
    expect(JSON.parse(misspelt.stdout)).toMatchObject({
      type: 'error',
      code: 'USAGE',
      message: expect.stringContaining('--bogus'),
    })
  })
})
