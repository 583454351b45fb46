import { copiedTensor, takeOver } from '@rowwise/host-values'
import type { Variable } from '@tensorflow/tfjs-core'

/** Gives parameters the values of the same names, as copies. */
export function assignValues(
  parameters: Readonly<Record<string, Variable>>,
  values: ReadonlyMap<string, Float32Array>,
): void {
  for (const [name, loaded] of values) takeOver(parameters[name], copiedTensor(loaded, parameters[name].shape))
}
