import { hostValues } from '@rowwise/host-values'
import { engine, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { requireRuntime } from '../configure'
import type { RecurrentOutputs, State } from '../runtime'
import { type PassAttributes, type PassInputs, shapeOf } from './inputs'
import { releaseFinished } from './reserve'

/** Backends whose tensors are in this process's memory, where copying them into the kernels' memory costs microseconds. */
export const HOST_BACKENDS = ['wasm', 'cpu']

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
  x: Float32Array,
  xShape: readonly number[],
  inputs: PassInputs,
  backend: KernelBackend,
  attributes: PassAttributes,
  save: boolean,
): RecurrentOutputs {
  const { lengths, returnOutput } = attributes
  const { weightIh, weightHh, biasIh, biasHh, h0, c0 } = inputs
  const tensors = [weightIh, weightHh, ...(biasIh && biasHh ? [biasIh, biasHh] : [])]
  const initial: State | undefined = h0 && { h: read(backend, h0), ...(c0 && { c: read(backend, c0) }) }
  return requireRuntime().recurrent.forward(shapeOf(xShape, weightHh.shape, attributes), {
    x,
    // A tensor whose values change gets other data.
    version: tensors.map(({ dataId }) => dataId),
    weights: () => ({
      weightIh: read(backend, weightIh),
      weightHh: read(backend, weightHh),
      ...(biasIh && biasHh && { biasIh: read(backend, biasIh), biasHh: read(backend, biasHh) }),
    }),
    initial,
    lengths,
    save,
    returnOutput,
  })
}

/** Moves tensors of another backend now: one that is moved while the kernels read WebAssembly's memory can make that grow and go away. */
export function moveHere(inputs: PassInputs): void {
  const { backend, state } = engine()
  for (const name in inputs) {
    const info = inputs[name as keyof PassInputs] as TensorInfo
    if (hostValues(info) !== undefined || state.tensorInfo.get(info.dataId)?.backend === backend) continue
    engine().moveData(backend, info.dataId)
  }
}

/** The values of a kernel's input, only to be read, and before anything else is made on the backend. */
export function read(backend: KernelBackend, info: TensorInfo): Float32Array {
  return hostValues(info) ?? viewOf(backend, info) ?? (backend.readSync(info.dataId) as Float32Array)
}

/** The values where they are in the WASM backend's memory: a copy of a large batch takes as long as a pass. */
function viewOf(backend: KernelBackend, info: TensorInfo): Float32Array | undefined {
  const { typedArrayFromHeap } = backend as { typedArrayFromHeap?(info: TensorInfo): Float32Array }
  return typedArrayFromHeap?.call(backend, info)
}
