import { awaitValues, keepHostValues } from '@rowwise/host-values'
import type { Safetensor } from '@rowwise/safetensors'
import { type Tensor, tensor } from '@tensorflow/tfjs-core'
import { CheckpointMismatchError, NonFiniteError } from '../errors'
import type { Trainable } from '../model'
import type { StoredCheckpoint } from './checkpoint-directory'
import { differences } from './config'

/** Refuses a checkpoint whose weights have other names or shapes than the model's. */
export function checkShapes(ours: Readonly<Record<string, Tensor>>, theirs: StoredCheckpoint['weights']): void {
  const shapes = (named: Readonly<Record<string, { shape: readonly number[] }>>) =>
    Object.fromEntries(Object.entries(named).map(([name, { shape }]) => [name, `[${shape}]`]))
  const found = differences(shapes(theirs), shapes(ours))
  if (found.length === 0) return
  const list = found.map(({ name, before, now }) => `${name} was ${before}, is now ${now}`).join('; ')
  throw new CheckpointMismatchError(`the checkpoint is of another model: ${list}; build the model it was made with`)
}

/** Gives a model the weights of a checkpoint. */
export function loadWeights(model: Trainable, weights: StoredCheckpoint['weights']): void {
  const dtypes = { F32: 'float32', I32: 'int32', BOOL: 'bool' } as const
  const tensors = Object.fromEntries(
    Object.entries(weights).map(([name, { dtype, shape, data }]) => {
      const made = tensor(data as Float32Array, [...shape], dtypes[dtype as 'F32'])
      if (dtype === 'F32') keepHostValues(made, data as Float32Array) // so that nobody reads it back from a device
      return [name, made]
    }),
  )
  try {
    model.loadStateDict(tensors)
  } finally {
    for (const value of Object.values(tensors)) value.dispose()
  }
}

/** The weights as arrays; waits for the device. */
export async function readWeights(model: Trainable): Promise<Record<string, Safetensor>> {
  const dtypes = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const
  const named = Object.entries(model.stateDict()).map(async ([name, tensor]): Promise<[string, Safetensor]> => {
    const dtype = dtypes[tensor.dtype as 'float32']
    return [name, { dtype, shape: tensor.shape, data: await awaitValues(tensor) }]
  })
  return Object.fromEntries(await Promise.all(named))
}

/** The same of a model's parameters; waits for the device. */
export async function requireFiniteWeights(model: Trainable, step: number): Promise<void> {
  for (const [name, parameter] of Object.entries(model.parameters())) {
    const values = await awaitValues(parameter)
    refuseNonFinite({ [name]: { dtype: 'F32', shape: parameter.shape, data: values } }, step)
  }
}

/** Refuses weights that would make a run that goes on from them useless. */
export function refuseNonFinite(weights: Readonly<Record<string, Safetensor>>, step: number): void {
  for (const [name, { data }] of Object.entries(weights)) {
    if (!(data as Float32Array).every(Number.isFinite)) {
      throw new NonFiniteError(
        `${name} has a weight that is NaN or infinite after step ${step} of the run; lower lr or set maxGradientNorm`,
      )
    }
  }
}
