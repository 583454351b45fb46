import { readValues } from '@rowwise/host-values'
import { engine, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { requireEngine } from '../configure'
import type { LSTMGradients, SavedForward, Upstream } from '../engine'
import { KernelShapeError } from '../errors'
import { endLoans, read, tensorOfLent } from './host-tensors'
import { beginPasses, checkShapes, type LSTMWeightTensors, layerPass } from './lstm-pass'

/**
 * A value and the way back from a gradient by it (a vector-Jacobian product, as `jax.vjp` gives), without TensorFlow.js's tape. For a
 * short training step the tape's bookkeeping is a good part of the time.
 */
export interface KernelVJP<Gradients> {
  /** Holds until `vjp`, or the kernels' next pass. */
  values: Float32Array
  /** The gradients by what the value was computed from, given the one by the value; once, before the next forward pass. */
  vjp(upstream: Float32Array): Gradients
  /** Gives the memory of a pass back whose `vjp` was not called. */
  release(): void
}

/**
 * The last layer's final hidden state of an LSTM of one direction, outside of the tape. What a layer hands to the next stays in the
 * kernels' memory, and so does the gradient on its way back.
 *
 * @param inputs float32 `[N, T, I]`; there is no gradient by them
 * @param layers the weights of each, the first one reads the inputs
 * @returns values `[N, H]`; for each layer the gradients as tensors of its weights' shapes, which the caller disposes
 * @throws {@link KernelShapeError} when a shape does not fit or there is no layer, {@link KernelMemoryError} when the batch is too large for
 * WebAssembly's memory, {@link KernelStateError} when the kernels are switched off, or a pass is differentiated twice.
 * @example
 * ```ts
 * const { values, vjp } = finalHiddenVJP(inputs, [{ weightIh, weightHh, biasIh, biasHh }])
 * const [{ weightIh: gradient }] = vjp(gradientByValues)
 * ```
 */
export function finalHiddenVJP(inputs: Tensor3D, layers: readonly LSTMWeightTensors[]): KernelVJP<LSTMWeightTensors[]> {
  if (layers.length === 0) throw new KernelShapeError('layers is empty, expected the weights of at least one layer')
  const [batch, time] = inputs.shape
  const shapeFor = (layer: number): number[] =>
    layer === 0 ? inputs.shape : [batch, time, layers[layer - 1].weightHh.shape[1]]
  layers.forEach((weights, layer) => {
    checkShapes(shapeFor(layer), weights)
  })
  const { backend } = engine()
  beginPasses()
  const passes: SavedForward[] = []
  const release = (): void => {
    for (const pass of passes) pass.release()
  }
  let values = read(backend, inputs)
  try {
    layers.forEach((weights, layer) => {
      const options = { reverse: false, returnOutput: layer < layers.length - 1, save: true }
      const { output, h, saved } = layerPass(values, shapeFor(layer), weights, backend, options)
      passes.push(saved as SavedForward)
      values = output ?? h
    })
  } catch (error) {
    release()
    throw error
  }
  return {
    values,
    vjp(upstream) {
      const gradients: LSTMWeightTensors[] = []
      let byOutputs: Upstream = { h: upstream }
      for (let layer = layers.length - 1; layer >= 0; layer--) {
        const found = passes[layer].backward(byOutputs, { byInputs: layer > 0 })
        gradients.unshift(gradientTensors(found, layers[layer]))
        byOutputs = { output: found.x }
      }
      release()
      return gradients
    },
    release,
  }
}

function gradientTensors({ weightIh, weightHh, bias }: LSTMGradients, weights: LSTMWeightTensors): LSTMWeightTensors {
  const { biasIh, biasHh } = weights
  return {
    weightIh: tensorOfLent(weightIh, weights.weightIh.shape) as Tensor2D,
    weightHh: tensorOfLent(weightHh, weights.weightHh.shape) as Tensor2D,
    ...(biasIh &&
      biasHh && {
        biasIh: tensorOfLent(bias, biasIh.shape) as Tensor1D,
        biasHh: tensorOfLent(bias, biasHh.shape) as Tensor1D,
      }),
  }
}

/** Gradients of a linear layer. */
export interface LinearVJPGradients {
  /** `[N, I]`; holds until the kernels' next pass */
  inputs: Float32Array
  /** float32 `[O, I]`, which the caller disposes */
  weight: Tensor2D
  /** float32 `[O]`, which the caller disposes; absent without a bias */
  bias?: Tensor1D
}

/**
 * `fusedLinear` outside of the tape.
 *
 * @param inputs `[N, I]`; read once more by `vjp`, so they must hold until then: an LSTM's values do, those of another linear layer only copied
 * @param weight float32 `[O, I]`
 * @param bias float32 `[O]`
 * @returns values `[N, O]`
 * @throws {@link KernelStateError} when the kernels are switched off.
 * @example
 * ```ts
 * const { values: logits, vjp } = linearVJP(hidden, weight, bias)
 * const { inputs: gradientByHidden } = vjp(gradientByLogits)
 * ```
 */
export function linearVJP(inputs: Float32Array, weight: Tensor2D, bias?: Tensor1D): KernelVJP<LinearVJPGradients> {
  const lstm = requireEngine()
  const [outFeatures, inFeatures] = weight.shape
  const shape = { rows: inputs.length / inFeatures, inFeatures, outFeatures }
  const weightValues = readValues(weight)
  endLoans()
  return {
    values: lstm.linear(shape, inputs, weightValues, bias && readValues(bias)),
    vjp(upstream) {
      endLoans()
      const gradients = lstm.linearGradients(shape, upstream, inputs, weightValues)
      return {
        inputs: gradients.x,
        weight: tensorOfLent(gradients.weight, weight.shape) as Tensor2D,
        ...(bias && { bias: tensorOfLent(gradients.bias, bias.shape) as Tensor1D }),
      }
    },
    release() {},
  }
}
