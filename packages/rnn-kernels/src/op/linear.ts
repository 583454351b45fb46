import { filledTensor, giveArray, passingTensor, readValues, takeArray } from '@rowwise/host-values'
import {
  add,
  customGrad,
  engine,
  getBackend,
  matMul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core'
import { currentRuntime, requireRuntime } from '../configure'
import { KernelShapeError } from '../errors'
import type { LinearGradients, LinearShape } from '../runtime'
import { isHigherOrder } from './higher-order'
import { requireTensor } from './inputs'
import { canFuse } from './recurrent'

/**
 * y = x·Wᵀ + b as one operation of TensorFlow.js with its own gradient: the numbers of `torch.nn.functional.linear`.
 * TensorFlow.js's operations compute it where a gradient of a gradient is taken.
 *
 * @param inputs float32 `[…, I]`
 * @param weight float32 `[O, I]`
 * @param bias float32 `[O]`
 * @returns float32 `[…, O]`, which the caller disposes
 * @throws {@link KernelShapeError} when a shape does not fit or a tensor is disposed, {@link KernelMemoryError} when WebAssembly's memory does not suffice.
 * @example
 * ```ts
 * const logits = fusedLinear(h, weight, bias) // [N, classes]
 * ```
 */
export function fusedLinear<Rows extends Tensor>(inputs: Rows, weight: Tensor2D, bias?: Tensor1D): Rows {
  requireTensor('inputs', inputs)
  requireTensor('weight', weight)
  if (bias !== undefined) requireTensor('bias', bias)
  const [outFeatures, inFeatures] = weight.shape
  const fits = inputs.rank > 0 && weight.shape.length === 2 && inputs.shape[inputs.rank - 1] === inFeatures
  const isFloat = [inputs, weight, bias].every((tensor) => tensor === undefined || tensor.dtype === 'float32')
  const isFull = inputs.size > 0 && weight.size > 0
  if (!fits || !isFloat || !isFull || (bias && bias.shape.join() !== String(outFeatures))) {
    throw new KernelShapeError(
      `inputs is ${inputs.dtype} [${inputs.shape}], weight ${weight.dtype} [${weight.shape}], bias ${bias ? `${bias.dtype} [${bias.shape}]` : 'absent'}; ` +
        'expected float32 […, I], [O, I] and [O], none of them 0',
    )
  }
  const outputShape = [...inputs.shape.slice(0, -1), outFeatures]
  if (isHigherOrder()) {
    return tidy(() => {
      const product = matMul(reshape(inputs, [-1, inFeatures]), weight, false, true)
      return reshape(bias ? add(product, bias) : product, outputShape) as Rows
    })
  }
  const isRecorded = engine().isTapeOn()
  return customGrad((...tensors) => {
    const [x, w, b] = tensors.slice(0, bias ? 3 : 2).map((operand) => readValues(operand as Tensor))
    const shape = { rows: inputs.size / inFeatures, inFeatures, outFeatures }
    const { linear } = requireRuntime()
    // The tensors may be disposed before their gradient is taken.
    const [xKept, wKept] = isRecorded ? [x.slice(), w.slice()] : [x, w]
    return {
      value: filledTensor(outputShape, (y) => linear.forward(shape, x, w, b, y)),
      gradFunc: (dY: Tensor) => {
        const gradients = gradientArrays(shape)
        requireRuntime().linear.gradients(shape, readValues(dY), xKept, wKept, gradients)
        return gradientsOf(gradients, inputs.shape, shape, bias !== undefined)
      },
    }
  })(inputs, weight, ...(bias ? [bias] : [])) as Rows
}

/**
 * Whether {@link fusedLinear} computes a layer of so many multiply-adds on the current backend, and is the faster way: plain JavaScript
 * loses to TensorFlow.js's products in WebAssembly where the arithmetic counts more than what a call costs.
 */
export function canFuseLinear(multiplyAdds: number): boolean {
  if (!canFuse() || isHigherOrder()) return false
  return multiplyAdds <= SMALL_WORK || getBackend() === 'cpu' || currentRuntime()?.name !== 'js'
}

const SMALL_WORK = 1 << 18

/** Arrays for the gradients of a layer. */
function gradientArrays({ rows, inFeatures, outFeatures }: LinearShape): LinearGradients {
  return {
    x: takeArray(rows * inFeatures),
    weight: takeArray(outFeatures * inFeatures),
    bias: takeArray(outFeatures),
  }
}

function gradientsOf(
  { x, weight, bias }: LinearGradients,
  inputShape: number[],
  { inFeatures, outFeatures }: LinearShape,
  hasBias: boolean,
): Tensor[] {
  if (!hasBias) giveArray(bias)
  return [
    passingTensor(x, inputShape),
    passingTensor(weight, [outFeatures, inFeatures]),
    ...(hasBias ? [passingTensor(bias, [outFeatures])] : []),
  ]
}
