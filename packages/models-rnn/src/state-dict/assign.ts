import { tensor, type Variable } from '@tensorflow/tfjs-core'

/** Gives parameters the values of the same names, as copies. */
export function assignValues(
  parameters: Readonly<Record<string, Variable>>,
  values: ReadonlyMap<string, Float32Array>,
): void {
  for (const [name, loaded] of values) {
    const copy = tensor(new Float32Array(loaded), parameters[name].shape, 'float32')
    parameters[name].assign(copy)
    copy.dispose()
  }
}
