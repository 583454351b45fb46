import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'
import { gatherRows } from './gather'
import { segmentSum } from './segment-sum'

/** Who asked for the kernels, and what takes them back. */
let registered: { users: number; restore(): void } | undefined

/**
 * Registers two kernels of the WASM backend, if that is there: GatherV2 by copies of rows, which `fit` needs for every
 * batch, and UnsortedSegmentSum, without which no Embedding trains.
 *
 * @returns what takes that back, once all who asked do; undefined where there is no WASM backend yet
 */
export function registerWasmKernels(): (() => void) | undefined {
  const entry = registered ?? register()
  if (entry === undefined) return undefined
  registered = entry
  entry.users += 1
  return () => {
    entry.users -= 1
    if (entry.users > 0) return
    registered = undefined
    entry.restore()
  }
}

function register(): typeof registered {
  const gather = getKernel('GatherV2', 'wasm')
  if (gather === undefined) return undefined
  const undo = [replaceKernel(gather, gatherRows(gather))]
  if (getKernel('UnsortedSegmentSum', 'wasm') === undefined) undo.push(replaceKernel(undefined, segmentSum))
  return {
    users: 0,
    restore() {
      for (const step of undo) step()
    },
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
