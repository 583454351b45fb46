import { readFileSync } from 'node:fs'
import { type Tensor, tensor } from '@tensorflow/tfjs-core'

/** Numbers of a shape, as the files beside the models have them. */
export interface Numbers {
  shape: number[]
  dtype?: string
  data: number[]
}

export const bytesOf = (path: string): Uint8Array => readFileSync(new URL(`./fixtures/${path}`, import.meta.url))
export const jsonOf = (path: string) => JSON.parse(new TextDecoder().decode(bytesOf(path)))

export const tensorOf = ({ data, shape, dtype = '' }: Numbers): Tensor =>
  tensor(data, shape, dtype.includes('int') ? 'int32' : 'float32')

/** The largest difference; infinite where there are more or fewer. */
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (max, value, at) => Math.max(max, Math.abs(value - b[at])),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  )
