import { readFileSync } from 'node:fs'
import {
  type GreyImage,
  type ImageTransform,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomRotation,
} from '@rowwise/data-mnist'
import { Generator } from '@rowwise/torch-random'
import { describe, expect, it } from 'vitest'

interface Vectors {
  image: number[]
  shape: number[]
  transforms: { transform: string; seed: number; outputs: number[][] }[]
}

const { image, shape, transforms } = JSON.parse(
  readFileSync(new URL('../vectors/augmentation.json', import.meta.url), 'utf8'),
) as Vectors

/** The transforms as torchvision shows them, and how far a pixel may be off. */
const OURS: Record<string, { make: (generator: Generator) => ImageTransform; off: number; isFloat?: boolean }> = {
  'RandomRotation(15, nearest)': { make: (generator) => randomRotation({ degrees: 15, generator }), off: 0 },
  'RandomRotation(15, bilinear)': {
    make: (generator) => randomRotation({ degrees: 15, interpolation: 'bilinear', generator }),
    off: 1,
  },
  'RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, bilinear)': {
    make: (generator) =>
      randomAffine({
        degrees: 10,
        translate: [0.1, 0.1],
        scale: [0.9, 1.1],
        shear: 5,
        interpolation: 'bilinear',
        generator,
      }),
    off: 1,
  },
  'RandomCrop(28, padding=2)': { make: (generator) => randomCrop({ size: 28, padding: 2, generator }), off: 0 },
  'RandomHorizontalFlip()': { make: (generator) => randomHorizontalFlip({ generator }), off: 0 },
  'RandomErasing() on float image/255': { make: (generator) => randomErasing({ generator }), off: 0, isFloat: true },
}

describe('augmentation draws and makes what torchvision’s tensor path does', () => {
  it.each(transforms.map((item) => [item.transform, item] as const))('%s', (name, { seed, outputs }) => {
    const { make, off, isFloat } = OURS[name]
    const transform = make(new Generator(seed))
    const [, height, width] = shape
    const data = isFloat ? Float32Array.from(image, (byte) => Math.fround(byte / 255)) : Uint8Array.from(image)
    for (const expected of outputs) {
      const found: GreyImage = transform({ data, height, width })
      expect([found.height, found.width]).toEqual([height, width])
      const errors = expected.map((value, at) => Math.abs(found.data[at] - Math.fround(value)))
      expect(Math.max(...errors)).toBeLessThanOrEqual(off)
    }
    expect(outputs).toHaveLength(4)
  })
})
