import { copiedTensor, takeOver } from '@rowwise/host-values'
import type { Variable } from '@tensorflow/tfjs-core'

/** Gives parameters the values of the same names, as copies; these are all made first, as values may be those of other parameters. */
export function assignValues(
  parameters: Readonly<Record<string, Variable>>,
  values: ReadonlyMap<string, Float32Array>,
): void {
  const copies = Array.from(values, ([name, loaded]) => {
    const parameter = parameters[name]
    return [parameter, copiedTensor(loaded, parameter.shape)] as const
  })
  for (const [parameter, copy] of copies) takeOver(parameter, copy)
}
