import {
  compose,
  normalize,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomRotation,
} from '@rowwise/data-mnist'
import type { Generator } from '@rowwise/torch-random'
import { UsageError } from '../exit'

type Transform = ReturnType<typeof compose> | Float32Array

/** What becomes of a run's images: `randomRotation=10,randomCrop=2,randomHorizontalFlip,randomErasing,randomAffine=10`, then normalised. */
export function transformOf(
  augment: string | undefined,
  { mean, std }: { mean: number; std: number },
  size: readonly [number, number],
  generator: Generator,
): Transform {
  const table = normalize(mean, std)
  if (augment === undefined) return table
  const interpolation = 'bilinear'
  const known = {
    randomRotation: (degrees = 10) => randomRotation({ degrees, interpolation, generator }),
    randomAffine: (degrees = 10) =>
      randomAffine({ degrees, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: degrees / 2, interpolation, generator }),
    randomCrop: (padding = 2) => randomCrop({ size, padding, generator }),
    randomHorizontalFlip: (p = 0.5) => randomHorizontalFlip({ p, generator }),
    randomErasing: (p = 0.5) => randomErasing({ p, generator }),
  }
  const steps = augment.split(',').map((entry) => {
    const [name, value, ...more] = entry.split('=')
    if (!Object.hasOwn(known, name)) {
      throw new UsageError(`--augment has '${name}', expected some of ${Object.keys(known).join(', ')}`)
    }
    const number = value === undefined ? undefined : Number(value)
    if (number !== undefined && (value.trim() === '' || !Number.isFinite(number) || more.length > 0)) {
      throw new UsageError(
        `--augment has '${entry}', expected a number, such as ${name}=${name === 'randomCrop' ? 2 : 10}`,
      )
    }
    return { name, step: known[name as keyof typeof known](number) }
  })
  // As in torchvision's examples, a part is erased once pixels are normalised.
  const [before, after] = [false, true].map((isLate) =>
    steps.filter(({ name }) => (name === 'randomErasing') === isLate).map(({ step }) => step),
  )
  return compose(...before, table, ...after)
}
