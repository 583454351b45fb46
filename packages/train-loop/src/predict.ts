import { concat, dispose, sigmoid, slice, softmax, Tensor, tidy } from '@tensorflow/tfjs-core'
import { ownTensor, refuseOptions, requireModel, requireOutputs, requireSignal, show } from './checks'
import { TrainOptionError } from './errors'
import { Breather } from './event-loop'
import { toEvaluation } from './mode'
import type { BatchInputs, Trainable } from './model'

/** How {@link predict} runs. */
export interface PredictOptions {
  /** Samples that are computed at once. @default 256 */
  batchSize?: number
  /**
   * Turn logits into probabilities: by `'softmax'` over the last axis, or each by itself by `'sigmoid'`; `true` is sigmoid for outputs `[N]`
   * and `[…, 1]`, else softmax. @default false
   */
  probabilities?: boolean | 'softmax' | 'sigmoid'
  /** Stops between two batches, with its reason as the error. */
  signal?: AbortSignal
}

/**
 * The outputs of a model for any number of samples, computed in batches. The model is in evaluation meanwhile, and afterwards in the
 * mode that it was in.
 *
 * @param inputs what `forward` takes, `[N, …]`; of several things by name N is the first axis of the first tensor, and tensors and arrays
 * with N entries are cut into batches. States `[layers, N, H]` are not: call `forward` with those
 * @returns `[N, …]`; the caller disposes it
 * @throws {@link TrainOptionError} when an argument is not what it should be; the reason of `signal`; and what the model throws.
 * @example
 * ```ts
 * const outputs = await predict(model, images, { probabilities: true })
 * console.log(await outputs.data())
 * ```
 */
export async function predict(model: Trainable, inputs: BatchInputs, options: PredictOptions = {}): Promise<Tensor> {
  requireModel('predict()', model)
  refuseOptions('predict()', options, { batchSize: true, probabilities: true, signal: true })
  const { batchSize = 256, probabilities = false, signal } = options
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new TrainOptionError(`predict(): batchSize is ${batchSize}, expected an integer of at least 1`)
  }
  if (![true, false, 'softmax', 'sigmoid'].includes(probabilities)) {
    throw new TrainOptionError(
      `predict(): probabilities is ${show(probabilities)}, expected true, false, 'softmax' or 'sigmoid'`,
    )
  }
  requireSignal('predict()', signal)
  const samples = requireSamples(inputs)
  const breather = new Breather()
  const outputs: Tensor[] = []
  const restore = toEvaluation(model)
  try {
    for (let start = 0; start < samples; start += batchSize) {
      if (signal?.aborted) throw signal.reason
      const count = Math.min(batchSize, samples - start)
      outputs.push(
        tidy(() => {
          const found = requireOutputs(model.forward(count === samples ? inputs : part(inputs, start, count, samples)))
          return probabilities ? toProbabilities(found, probabilities) : ownTensor(found)
        }),
      )
      if (breather.isDue) await breather.breathe()
    }
    return outputs.length === 1 ? outputs[0].clone() : concat(outputs, 0)
  } finally {
    dispose(outputs)
    restore()
  }
}

function toProbabilities(logits: Tensor, how: true | 'softmax' | 'sigmoid'): Tensor {
  const isEach = how === true ? logits.rank === 1 || logits.shape[logits.rank - 1] === 1 : how === 'sigmoid'
  return isEach ? sigmoid(logits) : softmax(logits)
}

/** How many samples there are: the first axis of the first tensor. */
function requireSamples(inputs: BatchInputs): number {
  const tensors =
    inputs instanceof Tensor ? [inputs] : Object.values(inputs ?? {}).filter((part) => part instanceof Tensor)
  const [first] = tensors as Tensor[]
  if (first === undefined || first.isDisposed || !(first.shape[0] > 0)) {
    const found =
      first === undefined ? show(inputs) : first.isDisposed ? 'a disposed tensor' : `of shape [${first.shape}]`
    throw new TrainOptionError(`predict(): the inputs are ${found}, expected a tensor [N, …] with at least one sample`)
  }
  return first.shape[0]
}

/** Some of the samples. */
function part(inputs: BatchInputs, start: number, count: number, samples: number): BatchInputs {
  if (inputs instanceof Tensor) {
    return slice(inputs, [start, ...inputs.shape.slice(1).fill(0)], [count, ...inputs.shape.slice(1)])
  }
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => {
      if (value instanceof Tensor)
        return [name, value.shape[0] === samples ? part(value, start, count, samples) : value]
      const isCut = (Array.isArray(value) || ArrayBuffer.isView(value)) && (value as unknown[]).length === samples
      return [name, isCut ? (value as unknown[]).slice(start, start + count) : value]
    }),
  )
}
