import { isTypedArray } from '@rowwise/host'
import { hostValues, moveToCurrentBackend } from '@rowwise/host-values'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { requireRuntime } from '../configure'
import type { Lookup, RecurrentOutputs, State } from '../runtime'
import { hiddenSizeOf, type PassAttributes, type PassInputs, shapeOf, type WeightLayout } from './inputs'
import { fromKerasLayout } from './keras-layout'
import { releaseFinished } from './reserve'

/** Layouts as parts of a cache key, which has objects alone. */
const LAYOUTS: Readonly<Record<WeightLayout, object>> = { pytorch: {}, keras: {} }

/** One forward pass of the runtime. */
export function forwardPass(
  inputs: PassInputs & { x: TensorInfo },
  backend: KernelBackend,
  attributes: PassAttributes,
  save: boolean,
): RecurrentOutputs {
  releaseFinished()
  return layerPass(read(backend, inputs.x), inputs.x.shape, inputs, backend, attributes, save)
}

/** The forward pass of a layer whose inputs are values. */
export function layerPass(
  x: Float32Array | Lookup,
  xShape: readonly number[],
  inputs: PassInputs,
  backend: KernelBackend,
  attributes: PassAttributes,
  save: boolean,
): RecurrentOutputs {
  const { lengths, returnOutput, layout } = attributes
  const { weightIh, weightHh, biasIh, biasHh, h0, c0 } = inputs
  const tensors = [weightIh, weightHh, biasIh, biasHh].filter((tensor) => tensor !== undefined)
  const initial: State | undefined = h0 && { h: read(backend, h0), ...(c0 && { c: read(backend, c0) }) }
  return requireRuntime().recurrent.forward(shapeOf(xShape, weightHh.shape, attributes), {
    x,
    // A tensor whose values change gets other data, and in another layout the same values are other weights.
    version: [LAYOUTS[layout], ...tensors.map(({ dataId }) => dataId)],
    weights: () => {
      const [ih, hh, bias, biasOfState] = [weightIh, weightHh, biasIh, biasHh].map(
        (info) => info && read(backend, info),
      )
      const { cell } = attributes
      const [kernel, recurrentKernel] = [ih, hh] as Float32Array[]
      return layout === 'keras'
        ? fromKerasLayout(cell, hiddenSizeOf(weightHh.shape, layout), {
            kernel,
            recurrentKernel,
            ...(bias && { bias }),
          })
        : { weightIh: kernel, weightHh: recurrentKernel, ...(bias && { biasIh: bias, biasHh: biasOfState }) }
    },
    initial,
    lengths,
    save,
    returnOutput,
  })
}

/** Moves the tensors of a pass to the current backend, before it begins. */
export function moveHere(inputs: PassInputs): void {
  for (const name in inputs) moveToCurrentBackend(inputs[name as keyof PassInputs] as TensorInfo)
}

/** The values of a kernel's input, only to be read, and before anything else is made on the backend. */
export function read(backend: KernelBackend, info: TensorInfo): Float32Array {
  const values = hostValues(info) ?? viewOf(backend, info) ?? backend.readSync(info.dataId)
  // The cpu backend's cast of integers keeps their array.
  return isTypedArray(values, 'Float32Array') ? values : Float32Array.from(values as ArrayLike<number>)
}

/** The values where they are in the WASM backend's memory: a copy of a large batch takes as long as a pass. */
function viewOf(backend: KernelBackend, info: TensorInfo): Float32Array | undefined {
  const { typedArrayFromHeap } = backend as { typedArrayFromHeap?(info: TensorInfo): Float32Array }
  return typedArrayFromHeap?.call(backend, info)
}
