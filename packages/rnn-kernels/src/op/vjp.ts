import { copiedTensor, readValues } from '@rowwise/host-values'
import { engine, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import type { Cell } from '../cell'
import { requireRuntime } from '../configure'
import { KernelShapeError } from '../errors'
import type { RecurrentGradients, SavedPass, Upstream } from '../runtime'
import { checkShapes, passInputs } from './inputs'
import { layerPass, read } from './pass'
import { releaseFinished } from './reserve'
import type { RecurrentWeightTensors } from './types'

/**
 * A value and its pullback (a vector-Jacobian product, as `jax.vjp` returns), without TensorFlow.js's tape. For a
 * short training step the tape's bookkeeping is a good part of the time.
 */
export interface KernelVJP<Gradients> {
  /** Valid until the kernels' next pass, or until `vjp` is called. */
  values: Float32Array
  /** The gradients with respect to what the value was computed from, given the one with respect to the value; before the next forward pass. */
  vjp(upstream: Float32Array): Gradients
  /** Returns the memory of a pass whose `vjp` was not called. */
  release(): void
}

/**
 * The last layer's final hidden state of a recurrent network of one direction, outside of the tape. What one layer passes to the next stays
 * in the kernels' memory, and so does its gradient.
 *
 * @param inputs float32 `[N, T, I]`; there is no gradient with respect to them
 * @param layers the weights of each, the first one reads the inputs
 * @returns values `[N, H]`; for each layer the gradients as tensors of its weights' shapes, which the caller disposes
 * @throws {@link KernelShapeError} when a shape does not fit or there is no layer, {@link KernelMemoryError} when the batch is too large for
 * WebAssembly's memory, {@link KernelStateError} when the kernels are switched off, or a pass was released.
 * @example
 * ```ts
 * const { values, vjp } = finalHiddenVJP('lstm', inputs, [{ weightIh, weightHh, biasIh, biasHh }])
 * const [{ weightIh: gradient }] = vjp(gradientOfValues)
 * ```
 */
export function finalHiddenVJP(
  cell: Cell,
  inputs: Tensor3D,
  layers: readonly RecurrentWeightTensors[],
): KernelVJP<RecurrentWeightTensors[]> {
  if (layers.length === 0) throw new KernelShapeError('layers is empty, expected the weights of at least one layer')
  const [batch, time] = inputs.shape
  layers.forEach((weights, layer) => {
    if (layer === 0) checkShapes(inputs, weights, cell)
    else checkLayer(inputs, layers[layer - 1], weights, cell)
  })
  const { backend } = engine()
  releaseFinished()
  const passes: SavedPass[] = []
  const release = (): void => {
    for (const pass of passes) pass.release()
  }
  let values = read(backend, inputs)
  let inputSize = inputs.shape[2]
  try {
    layers.forEach((weights, layer) => {
      const returnOutput = layer < layers.length - 1
      const attributes = { cell, gateActivation: 'sigmoid', reverse: false, lengths: undefined, returnOutput } as const
      const { output, h, saved } = layerPass(
        values,
        [batch, time, inputSize],
        passInputs(inputs, weights),
        backend,
        attributes,
        true,
      )
      passes.push(saved as SavedPass)
      values = output ?? h
      inputSize = weights.weightHh.shape[1]
    })
  } catch (error) {
    release()
    throw error
  }
  return {
    values,
    vjp(upstream) {
      const gradients: RecurrentWeightTensors[] = []
      let next: Upstream = { h: upstream }
      for (let layer = layers.length - 1; layer >= 0; layer--) {
        const found = passes[layer].backward(next, { x: layer > 0 })
        gradients.unshift(gradientTensors(found, layers[layer]))
        next = { output: found.x }
      }
      release()
      return gradients
    },
    release,
  }
}

function checkLayer(
  inputs: Tensor3D,
  below: RecurrentWeightTensors,
  weights: RecurrentWeightTensors,
  cell: Cell,
): void {
  const [batch, time] = inputs.shape
  const hiddenSize = below.weightHh.shape[1]
  const shape = [batch, time, hiddenSize]
  checkShapes({ shape, dtype: 'float32', size: batch * time * hiddenSize, isDisposed: false } as never, weights, cell)
}

function gradientTensors(found: RecurrentGradients, weights: RecurrentWeightTensors): RecurrentWeightTensors {
  const names = Object.keys(weights) as (keyof RecurrentWeightTensors)[]
  const present = names.filter((name) => weights[name] !== undefined)
  return Object.fromEntries(
    present.map((name) => [name, copiedTensor(found[name], (weights[name] as Tensor2D).shape)]),
  ) as unknown as RecurrentWeightTensors
}

/** Gradients of a linear layer. */
export interface LinearVJPGradients {
  /** `[N, I]`; valid until the kernels' next pass */
  inputs: Float32Array
  /** float32 `[O, I]`, which the caller disposes */
  weight: Tensor2D
  /** float32 `[O]`, which the caller disposes; absent without a bias */
  bias?: Tensor1D
}

/**
 * `fusedLinear` outside of the tape.
 *
 * @param inputs `[N, I]`; read once more by `vjp`, so they must be valid until then: a recurrent layer's values are, those of another linear layer only when copied
 * @param weight float32 `[O, I]`
 * @param bias float32 `[O]`
 * @returns values `[N, O]`
 * @throws {@link KernelStateError} when the kernels are switched off.
 * @example
 * ```ts
 * const { values: logits, vjp } = linearVJP(hidden, weight, bias)
 * const { inputs: gradientOfHidden } = vjp(gradientOfLogits)
 * ```
 */
export function linearVJP(inputs: Float32Array, weight: Tensor2D, bias?: Tensor1D): KernelVJP<LinearVJPGradients> {
  const { linear } = requireRuntime()
  const [outFeatures, inFeatures] = weight.shape
  const shape = { rows: inputs.length / inFeatures, inFeatures, outFeatures }
  const weightValues = readValues(weight)
  return {
    values: linear.forward(shape, inputs, weightValues, bias && readValues(bias)),
    vjp(upstream) {
      const gradients = linear.gradients(shape, upstream, inputs, weightValues)
      return {
        inputs: gradients.x,
        weight: copiedTensor(gradients.weight, weight.shape) as Tensor2D,
        ...(bias && { bias: copiedTensor(gradients.bias, bias.shape) as Tensor1D }),
      }
    },
    release() {},
  }
}
