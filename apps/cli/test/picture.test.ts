import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selectBackend } from '@rowwise/backend-select'
import { loadMnist } from '@rowwise/data-mnist'
import { decodeSafetensors, LSTMNet } from '@rowwise/models-rnn'
import { tensor3d, tidy } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Content, readPicture, toSquare } from '../src/picture/read-picture'
import { rowwise, temporaryDirectory } from './rowwise'

const fixture = (name: string) => new URL(`fixtures/${name}.png`, import.meta.url).pathname
const weights = new URL('../../playground/public/model.safetensors', import.meta.url).pathname
let model: LSTMNet
let digits: Awaited<ReturnType<typeof loadMnist>>['test']
beforeAll(async () => {
  await selectBackend({ prefer: 'cpu' })
  model = LSTMNet.fromSafetensors(decodeSafetensors(readFileSync(weights))).eval()
  digits = (await loadMnist()).test
})

/** The class that the model sees in 28 × 28 pixels. */
function seen(pixels: Uint8Array): number {
  const values = Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.1307) / 0.3081)
  const logits = tidy(() => model.forward(tensor3d(values, [1, 28, 28])).dataSync())
  return logits.indexOf(Math.max(...logits))
}

type Colour = readonly [red: number, green: number, blue: number, alpha: number]

/** How a test image is drawn as a picture: each of its pixels a square, between paper and ink, somewhere on a sheet. */
interface Drawing {
  paper: Colour
  ink: Colour
  zoom?: number
  width?: number
  height?: number
  left?: number
  top?: number
}

function draw(index: number, { paper, ink, zoom = 5, width = 200, height = 200, left = 30, top = 30 }: Drawing): PNG {
  const png = new PNG({ width, height })
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = [Math.floor((y - top) / zoom), Math.floor((x - left) / zoom)]
      const isOn = row >= 0 && row < 28 && column >= 0 && column < 28
      const share = isOn ? digits.images[784 * index + 28 * row + column] / 255 : 0
      const colour = paper.map((value, channel) => Math.round(value + share * (ink[channel] - value)))
      png.data.set(colour, 4 * (y * width + x))
    }
  }
  return png
}

const square = ({ width, height, data }: PNG, content: Content = 'drawing') =>
  toSquare('x.png', { width, height, rgba: data }, 28, content).pixels

/** Digits that the model reads right as they are. */
const INDICES = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21]

/** How many of the digits are seen as what they are. */
const readRight = (drawing: Drawing) =>
  INDICES.filter((index) => seen(square(draw(index, drawing))) === digits.labels[index]).length

describe('a picture of a digit is read, whatever its paper and ink:', () => {
  const opaque = 255
  it.each<[string, Drawing]>([
    ['black on white', { paper: [255, 255, 255, opaque], ink: [0, 0, 0, opaque] }],
    ['white on black', { paper: [0, 0, 0, opaque], ink: [255, 255, 255, opaque] }],
    ['black on transparency', { paper: [0, 0, 0, 0], ink: [0, 0, 0, opaque] }],
    ['white on transparency', { paper: [255, 255, 255, 0], ink: [255, 255, 255, opaque] }],
    ['red on green of the same brightness', { paper: [0, 130, 0, opaque], ink: [255, 0, 0, opaque] }],
    ['pencil on grey paper', { paper: [170, 168, 160, opaque], ink: [110, 110, 112, opaque] }],
    [
      'small, in a corner of a large sheet',
      { paper: [255, 255, 240, opaque], ink: [20, 20, 90, opaque], width: 500, height: 400, zoom: 2 },
    ],
    ['on a wide sheet', { paper: [255, 255, 255, opaque], ink: [0, 0, 0, opaque], width: 600, left: 350 }],
    ['on a tall sheet', { paper: [255, 255, 255, opaque], ink: [0, 0, 0, opaque], height: 600, top: 400 }],
  ])('%s', { timeout: 60_000 }, (_, drawing) => {
    expect(readRight(drawing)).toBeGreaterThanOrEqual(INDICES.length - 1)
  })

  it.each([
    ['rgba7_black_on_transparent', 7],
    ['photo5', 5],
    ['tall8', 8],
    ['wide8', 8],
  ])('the file %s shows %i', async (name, digit) => {
    expect(seen(toSquare(name, await readPicture(fixture(name)), 28, 'drawing').pixels)).toBe(digit)
  })

  it('grey with opacity, black ink, is not blank', async () => {
    const picture = await readPicture(fixture('grey-alpha-black-ink'))
    expect(Math.max(...toSquare('x', picture, 28, 'drawing').pixels)).toBeGreaterThan(200)
  })
})

describe('a picture', () => {
  it('of the data set’s own size and look is used pixel for pixel', () => {
    for (const index of INDICES) {
      const png = draw(index, {
        paper: [0, 0, 0, 255],
        ink: [255, 255, 255, 255],
        zoom: 1,
        width: 28,
        height: 28,
        left: 0,
        top: 0,
      })
      expect(square(png)).toEqual(Uint8Array.from(digits.images.subarray(784 * index, 784 * (index + 1))))
    }
  })

  it('of that size with a digit off its middle is moved there', () => {
    for (const index of [1, 4, 14]) {
      const on = { paper: [0, 0, 0, 255], ink: [255, 255, 255, 255], zoom: 1, width: 28, height: 28 } as const
      expect(seen(square(draw(index, { ...on, left: 3, top: 3 })))).toBe(digits.labels[index])
    }
  })

  it('keeps the shape of its drawing: 20 pixels its longer side, its mass in the middle', () => {
    const png = draw(1, { paper: [255, 255, 255, 255], ink: [0, 0, 0, 255], width: 700 })
    const pixels = square(png)
    let [mass, x, y] = [0, 0, 0]
    pixels.forEach((value, at) => {
      mass += value
      x += value * (at % 28)
      y += value * Math.floor(at / 28)
    })
    expect([Math.abs(x / mass - 14), Math.abs(y / mass - 14)].every((distance) => distance < 1)).toBe(true)
    const rows = Array.from({ length: 28 }, (_, row) =>
      pixels.subarray(28 * row, 28 * row + 28).some((value) => value > 100),
    )
    expect(rows.lastIndexOf(true) - rows.indexOf(true) + 1).toBeGreaterThanOrEqual(18)
    expect(rows.lastIndexOf(true) - rows.indexOf(true) + 1).toBeLessThanOrEqual(22)
  })

  it('for a model of other things than digits is fitted in whole, bright on dark, its sides in proportion', () => {
    const png = draw(0, {
      paper: [255, 255, 255, 255],
      ink: [0, 0, 0, 255],
      zoom: 4,
      width: 224,
      height: 112,
      left: 0,
      top: 0,
    })
    const pixels = square(png, 'whole')
    expect([...pixels.subarray(0, 28 * 7)].every((value) => value === 0)).toBe(true) // above it, half of the square's rest
    expect(Math.max(...pixels)).toBeGreaterThan(100)
  })

  it.each(['black', '1x1'])('that is blank is said to be: %s', async (name) => {
    const picture = await readPicture(fixture(name))
    expect(() => toSquare(name, picture, 28, 'drawing')).toThrow(`${name} is blank: nothing on it stands out`)
    expect(() => toSquare(name, picture, 28, 'whole')).toThrow(`${name} is blank`)
  })

  it('of one colour is blank, whatever the colour and its opacity', () => {
    fc.assert(
      fc.property(fc.tuple(...Array(4).fill(fc.nat(255))), fc.integer({ min: 1, max: 60 }), (colour, side) => {
        const png = new PNG({ width: side, height: 2 * side })
        for (let at = 0; at < png.data.length; at += 4) png.data.set(colour as number[], at)
        expect(() => square(png)).toThrow(/is blank/)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a PNG file', () => {
  const whole = readFileSync(fixture('wide8'))
  const at = (bytes: Uint8Array) => {
    const path = join(temporaryDirectory(), 'damaged.png')
    writeFileSync(path, bytes)
    return path
  }

  it('may be followed by other bytes', async () => {
    expect((await readPicture(fixture('trailing-bytes'))).width).toBeGreaterThan(0)
    const { rgba } = await readPicture(at(Buffer.concat([whole, Buffer.from('more')])))
    expect(rgba).toEqual((await readPicture(fixture('wide8'))).rgba)
  })

  it.each(['badcrc', 'trunc'])('that is damaged (%s) is refused in words of ours', async (name) => {
    await expect(readPicture(fixture(name))).rejects.toThrow(/is a damaged PNG file: .*; save the image again$/)
  })

  it('that is cut anywhere is refused, and never taken for a whole one', async () => {
    for (let length = 0; length < whole.length; length += 7) {
      await expect(readPicture(at(whole.subarray(0, length)))).rejects.toThrow(
        expect.objectContaining({ code: 'USAGE' }),
      )
    }
  })

  it('with any byte changed is read or refused, and no decoder’s words or stack come out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (index, change) => {
        const bytes = Uint8Array.from(whole)
        bytes[index] ^= change
        const error = await readPicture(at(bytes)).catch((error) => error)
        expect(error.message ?? '').toMatch(/^$|PNG|pixels, expected at most/)
      }),
      { numRuns: 150 },
    )
  })

  it.each<[string, string, RegExp]>([
    ['a JPEG', '\xff\xd8\xff\xe0', /is a JPEG file, not a PNG; convert the image to PNG/],
    ['a GIF', 'GIF89a', /is a GIF file/],
    ['a WebP', 'RIFF\x01\x02\x03\x04WEBPVP8 ', /is a WebP file/],
    ['an SVG', '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', /is an SVG file/],
    ['a text', 'hello', /is not a PNG file; convert/],
    ['nothing', '', /is not a PNG file/],
  ])('that is really %s is named', async (_, content, message) => {
    await expect(readPicture(at(Buffer.from(content, 'latin1')))).rejects.toThrow(message)
  })

  it('that claims more pixels than a picture needs is refused before it is decoded', async () => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32BE(100_000, 16)
    await expect(readPicture(at(bytes))).rejects.toThrow(/100000 × \d+ pixels, expected at most 4096 × 4096/)
  })

  it('that is not there, or is a directory, is said in plain words', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'd.png'))
    await expect(readPicture(join(directory, 'd.png'))).rejects.toThrow(/cannot be read: it is a directory/)
    await expect(readPicture(join(directory, 'none.png'))).rejects.toThrow(/cannot be read: there is no such file/)
  })
})

describe('rowwise predict', () => {
  it('says what a picture shows', async () => {
    const { exitCode, stdout } = await rowwise([
      'predict',
      '--weights',
      weights,
      fixture('rgba7_black_on_transparent'),
      '--json',
    ])
    expect([exitCode, JSON.parse(stdout).prediction]).toEqual([0, '7'])
  })

  it('refuses a blank one with one line and exit code 2', async () => {
    const { exitCode, stdout, stderr } = await rowwise(['predict', '--weights', weights, fixture('black')])
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^rowwise: .*black.png is blank: .*\n$/)])
  })
})
