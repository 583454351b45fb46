import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSafetensors } from '@rowwise/models-rnn'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'

const directory = temporaryDirectory()
const csv = join(directory, 'weather.csv')
const series = ['--csv', csv, '--columns', 'temperature,humidity', '--target', 'temperature', '--window', '16']

beforeAll(() => {
  const rows = Array.from({ length: 1000 }, (_, t) => [`day ${t}`, 20 + 5 * Math.sin(t / 8), 50 + 9 * Math.cos(t / 8)])
  writeFileSync(csv, ['day,temperature,humidity', ...rows.map((row) => row.join())].join('\n'))
})

/** Pictures with bright rows or columns, of 8 × 8 pixels. */
function writePictures(folder: string, count: number): void {
  for (const [name, period] of [
    ['rows', 8],
    ['columns', 1],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true })
    for (let n = 0; n < count; n++) {
      const picture = new PNG({ width: 8, height: 8 })
      for (let pixel = 0; pixel < 64; pixel++) {
        const isBright = (Math.floor(pixel / period) + n) % 2 === 0
        picture.data.set([...Array(3).fill(isBright ? 255 - n : n), 255], 4 * pixel)
      }
      writeFileSync(join(folder, name, `${n}.png`), PNG.sync.write(picture))
    }
  }
}

describe('rowwise train --csv', () => {
  const out = join(directory, 'series')
  const weights = join(out, 'model.safetensors')

  it('learns to forecast, is steered by a validation, tests once, and says so', async () => {
    const settings = [
      '--epochs',
      '8',
      '--lr',
      '0.01',
      '--horizon',
      '2',
      '--schedule',
      'cosineAnnealingLR',
      '--optimizer',
      'AdamW',
    ]
    const { exitCode, stdout, stderr } = await rowwise(['train', ...series, ...settings, '--out', out])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.match(/^Validation set: .*R²: /gm)).toHaveLength(8)
    const [, share] = /^Test set: .*\(of temperature\), R²: (\S+), 98 windows$/m.exec(stdout) ?? []
    expect(Number(share)).toBeGreaterThan(0.95)
    const tested = await rowwise(['test', '--weights', weights, '--csv', csv])
    expect(stdout).toContain(tested.stdout.trim())
  })

  it('is tested on all of another file, and on the rows that were added to its own', async () => {
    const [header, ...rows] = readFileSync(csv, 'utf8').split('\n')
    const longer = join(directory, 'longer.csv')
    const other = join(directory, 'other.csv')
    writeFileSync(longer, [header, ...rows, ...rows.slice(0, 20)].join('\n'))
    writeFileSync(other, [header, ...rows.slice(500)].join('\n'))
    const total = async (file: string): Promise<number> => {
      const { stdout } = await rowwise(['test', '--weights', weights, '--csv', file, '--json'])
      return (JSON.parse(stdout) as { total: number }).total
    }
    expect([await total(csv), await total(longer), await total(other)]).toEqual([98, 118, 483])
  })

  it('is tested by the loss that it was trained with', async () => {
    const robust = join(directory, 'huber')
    const { stdout } = await rowwise(['train', ...series, '--loss', 'huberLoss', '--epochs', '1', '--out', robust])
    const tested = await rowwise(['test', '--weights', join(robust, 'model.safetensors'), '--csv', csv])
    expect(tested.stdout).toMatch(/^Test set: Average loss: /)
    expect(stdout).toContain(tested.stdout.trim())
  })

  it('predict says what comes next', async () => {
    const { stdout } = await rowwise(['predict', '--weights', weights, '--csv', csv, '--json'])
    const { forecast } = JSON.parse(stdout) as { forecast: { temperature: number }[] }
    forecast.forEach(({ temperature }, k) => {
      expect(Math.abs(temperature - (20 + 5 * Math.sin((1000 + k) / 8)))).toBeLessThan(1)
    })
    expect(forecast).toHaveLength(2)
  })

  it('goes on bit for bit', async () => {
    const [whole, cut] = [join(directory, 'whole'), join(directory, 'cut')]
    await rowwise(['train', ...series, '--epochs', '3', '--out', whole])
    await rowwise(['train', ...series, '--epochs', '2', '--out', cut])
    const { exitCode, stderr } = await rowwise(['train', '--resume', cut, '--epochs', '3'])
    expect([exitCode, stderr]).toEqual([0, ''])
    const bytes = [whole, cut].map((run) => readFileSync(join(run, 'model.safetensors')).toString('base64'))
    expect(bytes[1]).toBe(bytes[0])
  })

  it('keeps what the weights are for in their metadata', () => {
    const { metadata } = decodeSafetensors(readFileSync(weights))
    expect(JSON.parse(metadata.preprocessing)).toMatchObject({
      ...{ task: 'forecast', columns: ['temperature', 'humidity'], target: ['temperature'], window: 16, horizon: 2 },
      scales: { temperature: { mean: expect.any(Number) } },
    })
  })

  it.each<[string, () => string[], RegExp]>([
    [
      'a column of text',
      () => ['train', '--csv', csv, '--target', 'temperature', '--window', '8'],
      /weather\.csv:2: day is "day 0", expected a finite number; .*--columns, without day/,
    ],
    [
      'a column that is not there',
      () => ['train', ...series, '--target', 'wind'],
      /there is no column 'wind', expected one of day, temperature/,
    ],
    [
      'another separator',
      () => ['train', ...series, '--delimiter', ';'],
      /the header is one column.*pass it as --delimiter/,
    ],
    ['no window', () => ['train', '--csv', csv, '--target', 'temperature'], /--csv wants --window.*and --target/],
    [
      'a window that is too long',
      () => ['train', ...series, '--window', '1000'],
      /has 1000 rows, a window of 1000 and a horizon of 1 need 1001/,
    ],
    [
      'what images have',
      () => ['train', ...series, '--augment', 'randomCrop'],
      /--augment is for images; leave it out/,
    ],
    [
      'a loss of classes',
      () => ['train', ...series, '--loss', 'crossEntropy'],
      /a time series forecasts numbers; choose mseLoss/,
    ],
    ['a window without a time series', () => ['train', '--window', '3'], /--window is for a time series; pass --csv/],
    [
      'weights of a time series on images',
      () => ['test', '--weights', weights],
      /was trained to forecast temperature of a time series.*--csv/,
    ],
    [
      'weights of images on a time series',
      () => [
        'predict',
        '--csv',
        csv,
        '--weights',
        new URL('../../playground/public/model.safetensors', import.meta.url).pathname,
      ],
      /tells images apart, and --csv is a time series/,
    ],
    [
      'a time series and an image',
      () => ['predict', 'x.png', '--csv', csv, '--weights', weights],
      /takes --csv or an image, not both/,
    ],
  ])('refuses %s', async (_, flags, message) => {
    const { exitCode, stdout, stderr } = await rowwise(flags(), { cwd: temporaryDirectory() })
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('rowwise train --images', () => {
  const pictures = join(directory, 'pictures')
  const out = join(directory, 'images')
  beforeAll(() => writePictures(pictures, 40))

  it('learns the classes of folders, with a validation and augmentation, and tests the same pictures later', async () => {
    const settings = [
      '--epochs',
      '12',
      '--batch-size',
      '8',
      '--lr',
      '0.01',
      '--validation',
      '0.2',
      '--augment',
      'randomCrop=1,randomErasing=0.1',
    ]
    const { exitCode, stdout, stderr } = await rowwise(['train', '--images', pictures, ...settings, '--out', out])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain('72 training and 8 test images, 8 rows of 8\n14 of the training images steer the run')
    expect(stdout.match(/^Validation set: .*\/14 /gm)).toHaveLength(12)
    const [, correct] = /^Test set: .*Accuracy: (\d)\/8/m.exec(stdout) ?? []
    expect(Number(correct)).toBeGreaterThanOrEqual(7)
    const tested = await rowwise(['test', '--weights', join(out, 'model.safetensors'), '--images', pictures])
    expect(stdout).toContain(tested.stdout.trim())
  })

  it('predicts a picture as it was trained, also one that is bright and not square, and refuses another size', async () => {
    const folder = join(directory, 'bright')
    for (const name of ['left', 'right']) {
      mkdirSync(join(folder, name), { recursive: true })
      for (let n = 0; n < 40; n++) {
        const picture = new PNG({ width: 8, height: 6 })
        for (let pixel = 0; pixel < 48; pixel++) {
          const isDark = (name === 'left') === pixel % 8 < 4 && Math.floor(pixel / 8) > n % 3
          picture.data.set([...Array(3).fill(isDark ? 20 + n : 255 - n), 255], 4 * pixel)
        }
        writeFileSync(join(folder, name, `${n}.png`), PNG.sync.write(picture))
      }
    }
    const out = join(directory, 'bright-run')
    const trained = await rowwise(['train', '--images', folder, '--epochs', '12', '--lr', '0.02', '--out', out])
    expect(trained.stdout).toMatch(/Accuracy: 8\/8/)
    const weights = join(out, 'model.safetensors')
    for (const name of ['left', 'right']) {
      const { stdout } = await rowwise(['predict', '--weights', weights, join(folder, name, '3.png'), '--json'])
      expect(JSON.parse(stdout).prediction).toBe(name)
    }
    const listed = await rowwise([
      'predict',
      '--weights',
      weights,
      '--batch',
      join(folder, 'right'),
      '--out',
      join(out, 'p.csv'),
    ])
    expect([listed.exitCode, readFileSync(join(out, 'p.csv'), 'utf8').match(/,right,/g)?.length]).toEqual([0, 40])
    const small = new PNG({ width: 8, height: 8 })
    writeFileSync(join(directory, 'square.png'), PNG.sync.write(small))
    const refused = await rowwise(['predict', '--weights', weights, join(directory, 'square.png')])
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/is 8 × 8 pixels, the model reads 6 × 8/),
    ])
  })

  it('takes the folders train and test where they are there', async () => {
    const halves = join(directory, 'halves')
    writePictures(join(halves, 'train'), 8)
    writePictures(join(halves, 'test'), 3)
    const { stdout } = await rowwise([
      'train',
      '--images',
      halves,
      '--epochs',
      '1',
      '--out',
      join(directory, 'of-halves'),
    ])
    expect(stdout).toContain('16 training and 6 test images')
  })

  it.each<[string, () => string[], RegExp]>([
    ['a folder that is not there', () => ['train', '--images', join(directory, 'gone')], /gone cannot be read/],
    [
      'a folder without classes',
      () => ['train', '--images', join(pictures, 'rows')],
      /has no picture in a folder of its class/,
    ],
    [
      'a second place of images',
      () => ['train', '--images', pictures, '--variant', 'mnist'],
      /--images and --variant both say/,
    ],
    [
      'an unknown change',
      () => ['train', '--images', pictures, '--augment', 'blur'],
      /--augment has 'blur', expected some of randomRotation/,
    ],
    [
      'a change by no number',
      () => ['train', '--images', pictures, '--augment', 'randomCrop=x'],
      /--augment has 'randomCrop=x', expected a number/,
    ],
    [
      'an unknown schedule',
      () => ['train', '--images', pictures, '--schedule', 'step'],
      /--schedule is step, expected one of stepLR/,
    ],
    [
      'an unknown setting of one',
      () => ['train', '--images', pictures, '--schedule', 'stepLR:size=1'],
      /no option 'size'/,
    ],
    [
      'momentum for Adam',
      () => ['train', '--images', pictures, '--momentum', '0.9'],
      /--momentum is for SGD and RMSprop/,
    ],
    [
      'a validation of nothing',
      () => ['train', '--images', pictures, '--validation', '0.001'],
      /--validation 0.001 of 72 images is 0/,
    ],
  ])('refuses %s', async (_, flags, message) => {
    const { exitCode, stderr } = await rowwise(flags(), { cwd: temporaryDirectory() })
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
  })
})

describe('rowwise train, the recipe', () => {
  it.each([
    ['SGD', ['--momentum', '0.9', '--lr', '0.1', '--schedule', 'oneCycleLR']],
    ['RMSprop', ['--schedule', 'reduceLROnPlateau:patience=0,factor=0.5']],
    ['AdamW', ['--weight-decay', '0.1', '--schedule', 'multiStepLR:milestones=1/2']],
  ])('takes %s with a schedule, and goes on with both', async (optimizer, settings) => {
    const [whole, cut] = [join(temporaryDirectory(), 'whole'), join(temporaryDirectory(), 'cut')]
    const flags = ['train', '--samples', '640', '--epochs', '3', '--optimizer', optimizer, ...settings]
    await rowwise([...flags, '--out', whole])
    const stopped = await rowwise([...flags, '--out', cut, '--checkpoint-every', '1'])
    expect(stopped.exitCode).toBe(0)
    const resumed = await rowwise(['train', '--resume', cut, '--optimizer', 'Adam'])
    const other = optimizer === 'Adam' ? '' : `--optimizer is Adam, the run in ${cut} has ${optimizer}`
    expect([resumed.exitCode, resumed.stderr]).toEqual([2, expect.stringContaining(other)])
    const bytes = [whole, cut].map((run) => readFileSync(join(run, 'model.safetensors')).toString('base64'))
    expect(bytes[1]).toBe(bytes[0])
  })
})
