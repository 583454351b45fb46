import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'
import { gatherRows } from './gather'
import { segmentSum } from './segment-sum'

/**
 * Registers two kernels of the WASM backend, if that is there: GatherV2 by copies of rows, which `fit` needs for every batch, and
 * UnsortedSegmentSum, without which no Embedding trains.
 *
 * @returns what takes that back; undefined where there is no WASM backend yet
 */
export function registerWasmKernels(): (() => void) | undefined {
  const gather = getKernel('GatherV2', 'wasm')
  if (gather === undefined) return undefined
  const undo = [replaceKernel(gather, gatherRows(gather))]
  if (getKernel('UnsortedSegmentSum', 'wasm') === undefined) undo.push(replaceKernel(undefined, segmentSum))
  return () => {
    for (const step of undo) step()
  }
}

function replaceKernel(known: KernelConfig | undefined, ours: KernelConfig): () => void {
  const { kernelName, backendName } = ours
  if (known) unregisterKernel(kernelName, backendName)
  registerKernel(ours)
  return () => {
    if (getKernel(kernelName, backendName)?.kernelFunc !== ours.kernelFunc) return
    unregisterKernel(kernelName, backendName)
    if (known) registerKernel(known)
  }
}
