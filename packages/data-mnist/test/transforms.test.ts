import '@tensorflow/tfjs-backend-cpu'
import {
  compose,
  DataLoader,
  type GreyImage,
  imageDataset,
  normalize,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomRotation,
  toTensor,
} from '@rowwise/data-mnist'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const generator = () => new Generator(0)
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'LOADER_OPTION', message: expect.stringMatching(message) })

const images = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat())
  .map(([height, width, seed]): GreyImage => {
    const pixels = new Generator(seed).uniform(new Float32Array(height * width), 0, 256)
    return { data: Uint8Array.from(pixels), height, width }
  })

describe('transforms of an image of any size', () => {
  it('leave it as it is where they have nothing to do', () => {
    fc.assert(
      fc.property(images, (image) => {
        const idle = [
          randomRotation({ degrees: 0, interpolation: 'bilinear', generator: generator() }),
          randomAffine({ degrees: 0, translate: [0, 0], scale: [1, 1], shear: 0, generator: generator() }),
          randomCrop({ size: [image.height, image.width], generator: generator() }),
          randomHorizontalFlip({ p: 0, generator: generator() }),
          randomErasing({ p: 0, generator: generator() }),
        ]
        for (const transform of idle) expect(transform(image)).toEqual(image)
      }),
      { numRuns: 40 },
    )
  })

  it('flip twice to the same, turn by half a turn to the reverse', () => {
    fc.assert(
      fc.property(images, (image) => {
        const flip = randomHorizontalFlip({ p: 1, generator: generator() })
        expect(flip(flip(image))).toEqual(image)
        const turn = randomRotation({ degrees: [180, 180], generator: generator() })
        expect(turn(image).data).toEqual(image.data.slice().reverse())
      }),
      { numRuns: 40 },
    )
  })

  it('cut a part that is there, and fill what is outside', () => {
    const image = { data: Uint8Array.from({ length: 9 }, (_, k) => k + 1), height: 3, width: 3 }
    const part = randomCrop({ size: [1, 2], generator: generator() })(image)
    expect(part.data[1] - part.data[0]).toBe(1)
    const moved = randomAffine({ degrees: 0, translate: [1, 0], fill: 9, generator: new Generator(3) })(image)
    expect([...moved.data].filter((pixel) => pixel === 9).length).toBeGreaterThan(1)
  })
})

describe('compose', () => {
  const dataset = imageDataset({
    ...{ name: 'two', height: 2, width: 2, classNames: ['a'] },
    images: Uint8Array.of(0, 51, 102, 255, 255, 102, 51, 0),
    labels: Uint8Array.of(0, 0),
  })
  const batchOf = (transform: ReturnType<typeof compose>) => {
    const values: unknown[] = []
    for (const { inputs } of new DataLoader(dataset, { transform })) values.push([inputs.dtype, inputs.arraySync()])
    return values[0]
  }
  const unit = (...bytes: number[]) => bytes.map((byte) => Math.fround(byte / 255))

  it('applies its steps image by image, and a table makes numbers of bytes', () => {
    const flip = randomHorizontalFlip({ p: 1, generator: generator() })
    expect(batchOf(compose(flip, toTensor()))).toEqual([
      'float32',
      [
        [unit(51, 0), unit(255, 102)],
        [unit(102, 255), unit(0, 51)],
      ],
    ])
    expect(batchOf(compose(flip))).toEqual([
      'int32',
      [
        [
          [51, 0],
          [255, 102],
        ],
        [
          [102, 255],
          [0, 51],
        ],
      ],
    ])
  })

  it('draws image by image, as a data set of PyTorch does', () => {
    const drawn = (make: (g: Generator) => ReturnType<typeof compose>) => batchOf(make(new Generator(7)))
    const both = drawn((g) =>
      compose(
        randomHorizontalFlip({ generator: g }),
        randomErasing({ generator: g, scale: [0.2, 0.3], ratio: [1, 1] }),
        toTensor(),
      ),
    )
    const g = new Generator(7)
    const [flip, erase] = [
      randomHorizontalFlip({ generator: g }),
      randomErasing({ generator: g, scale: [0.2, 0.3], ratio: [1, 1] }),
    ]
    const expected = [0, 1].map((n) => {
      const { data } = erase(flip({ data: dataset.images.slice(4 * n, 4 * n + 4), height: 2, width: 2 }))
      return [unit(data[0], data[1]), unit(data[2], data[3])]
    })
    expect(both).toEqual(['float32', expected])
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a step that is neither', () => compose('flip' as never), /step 0 is neither a table/],
    ['a table of other length', () => compose(new Float32Array(3)), /step 0 is neither a table/],
    [
      'two tables',
      () => batchOf(compose(toTensor(), normalize(0.5, 0.5))),
      /step 1 is a table of bytes, but a step before/,
    ],
    [
      'inputs that are no images',
      () => compose()({ data: new Float32Array(4), shape: [2, 2] }),
      /got inputs \[2,2\], expected bytes/,
    ],
    [
      'an image that is too small',
      () => batchOf(compose(randomCrop({ size: 3, generator: generator() }))),
      /has 2 × 2 pixels with padding, expected 3 × 3/,
    ],
  ])('refuses %s', (_, use, message) => {
    expect(use).toThrow(refused(message))
  })
})

describe('options that cannot be are refused', () => {
  const g = generator()
  it.each<[() => unknown, RegExp]>([
    [() => randomRotation({ degrees: 10 } as never), /randomRotation\(\) has no generator/],
    [() => randomRotation({ degrees: [5, -5], generator: g }), /degrees is \[5,-5\]/],
    [() => randomRotation({ degrees: Number.NaN, generator: g }), /degrees is/],
    [() => randomRotation({ degrees: 1, interpolation: 'cubic' as never, generator: g }), /interpolation is "cubic"/],
    [() => randomRotation({ degrees: 1, expand: true, generator: g } as never), /no option 'expand'/],
    [() => randomAffine({ degrees: 1, translate: [2, 0], generator: g }), /translate is \[2,0\]/],
    [() => randomAffine({ degrees: 1, scale: [0, 1], generator: g }), /scale begins at 0/],
    [() => randomCrop({ size: 0, generator: g }), /size is 0/],
    [() => randomCrop({ size: 3, padding: -1, generator: g }), /padding is -1/],
    [() => randomHorizontalFlip({ p: 2, generator: g }), /p is 2/],
    [() => randomErasing({ scale: [0, 2], generator: g }), /scale is \[0,2\]/],
    [() => randomErasing({ ratio: [0, 1], generator: g }), /ratio begins at 0/],
    [() => randomErasing({ value: Number.NaN, generator: g }), /value is NaN/],
  ])('%s', (make, message) => {
    expect(make).toThrow(refused(message))
  })
})
