import { tensor } from '@tensorflow/tfjs-core'
import type { NamedParameters } from '../module'

/** Gives parameters the values of the same names, as copies. */
export function assignValues(parameters: NamedParameters, values: ReadonlyMap<string, Float32Array>): void {
  for (const [name, loaded] of values) {
    const copy = tensor(new Float32Array(loaded), parameters[name].shape, 'float32')
    parameters[name].assign(copy)
    copy.dispose()
  }
}
