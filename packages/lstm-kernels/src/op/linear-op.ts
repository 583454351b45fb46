import { readValues } from '@rowwise/host-values'
import {
  engine,
  type KernelBackend,
  type NamedTensorMap,
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { currentEngine } from '../configure'
import type { LinearGradients } from '../engine'
import { KernelShapeError, KernelStateError } from '../errors'
import { HOST_BACKENDS, read, tensorOf, write } from './host-tensors'

/** The operation's name in TensorFlow.js's registries. */
const KERNEL = 'RowwiseLinear'

type Inputs = Record<'x' | 'weight', TensorInfo> & Partial<Record<'bias', TensorInfo>>

/**
 * y = x·Wᵀ + b as one operation of TensorFlow.js with a gradient of its own: the numbers of `torch.nn.functional.linear`. Made for the
 * few outputs after an LSTM; large matrices are better left to TensorFlow.js's own product.
 *
 * @param inputs float32 `[N, I]`
 * @param weight float32 `[O, I]`
 * @param bias float32 `[O]`
 * @returns float32 `[N, O]`, which the caller disposes
 * @throws {@link KernelShapeError} when a shape does not fit, {@link KernelMemoryError} when WebAssembly's memory does not suffice.
 * @example
 * ```ts
 * const logits = fusedLinear(h, weight, bias) // [N, classes]
 * ```
 */
export function fusedLinear(inputs: Tensor2D, weight: Tensor2D, bias?: Tensor1D): Tensor2D {
  const [outFeatures, inFeatures] = weight.shape
  const fits = inputs.shape.length === 2 && inputs.shape[1] === inFeatures
  const isFloat = [inputs, weight, bias].every((tensor) => tensor === undefined || tensor.dtype === 'float32')
  if (!fits || !isFloat || (bias && bias.shape.join() !== String(outFeatures))) {
    throw new KernelShapeError(
      `inputs is ${inputs.dtype} [${inputs.shape}], weight ${weight.dtype} [${weight.shape}], bias ${bias ? `${bias.dtype} [${bias.shape}]` : 'absent'}; ` +
        'expected float32 [N, I], [O, I] and [O]',
    )
  }
  const named: NamedTensorMap = { x: inputs, weight, ...(bias && { bias }) }
  return engine().runKernel(KERNEL, named) as unknown as Tensor2D
}

function forwardKernel({ x, weight, bias }: Inputs, backend: KernelBackend): TensorInfo {
  const [rows] = x.shape
  const [outFeatures, inFeatures] = weight.shape
  const values = kernels().linear(
    { rows, inFeatures, outFeatures },
    read(backend, x),
    read(backend, weight),
    bias && read(backend, bias),
  )
  return write(backend, values, [rows, outFeatures])
}

function gradient(dY: Tensor, [x, weight]: Tensor[]): Record<string, () => Tensor> {
  const [rows] = x.shape
  const [outFeatures, inFeatures] = weight.shape
  let gradients: LinearGradients | undefined
  const once = (): LinearGradients => {
    gradients ??= kernels().linearGradients(
      { rows, inFeatures, outFeatures },
      readValues(dY),
      readValues(x),
      readValues(weight),
    )
    return gradients
  }
  return {
    x: () => tensorOf(once().x, [rows, inFeatures]),
    weight: () => tensorOf(once().weight, [outFeatures, inFeatures]),
    bias: () => tensorOf(once().bias, [outFeatures]),
  }
}

function kernels() {
  const current = currentEngine()
  if (current === null)
    throw new KernelStateError('the kernels are switched off; call configureKernels({ path: "auto" })')
  return current
}

for (const backendName of HOST_BACKENDS) {
  registerKernel({
    kernelName: KERNEL,
    backendName,
    kernelFunc: ({ inputs, backend }) => forwardKernel(inputs as unknown as Inputs, backend as KernelBackend),
  })
}

registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['x', 'weight'],
  gradFunc: (dY, saved) => gradient(dY as Tensor, saved),
})
