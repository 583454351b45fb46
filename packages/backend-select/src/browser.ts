// What bundlers for browsers, and Jest with jsdom, take instead of index.ts.

import { setBackend } from '@tensorflow/tfjs-core'
import { startCpu } from './candidates/cpu'
import { checkOptions, FACTS, type SelectBackendOptions, type SelectedBackend } from './options'
import { quietly } from './quietly'
import { notPreferred, type Rejection } from './reasons'

export { isRowwiseError } from '@rowwise/errors'
export { BackendOptionError, DuplicateCoreError } from './errors'
export type { SelectBackendOptions, SelectedBackend } from './options'
export type { BackendName, ReasonCode, Rejection } from './reasons'

const WITHOUT_CUDA: Rejection = {
  name: 'cuda',
  code: 'NOT_INSTALLED',
  reason: 'A browser gives nobody CUDA.',
  fix: 'run the program in Node',
}

/**
 * `selectBackend` in a browser: the cpu backend, on which Rowwise's own WebAssembly kernels run as fast as on any; TensorFlow.js's WASM
 * backend when that is asked for, because only the page knows where its file is.
 */
export async function selectBackend(options: SelectBackendOptions = {}): Promise<SelectedBackend> {
  const { prefer, wasmPath } = checkOptions(options, undefined)
  const tried: Rejection[] = [WITHOUT_CUDA]
  if (prefer === 'cpu') {
    await startCpu()
    return { name: 'cpu', ...FACTS.cpu, tried: [...tried, notPreferred('wasm', prefer)] }
  }
  const isWanted = prefer === 'wasm' || wasmPath !== undefined
  const reason = isWanted ? await startWasm(wasmPath) : 'It was not tried, because the place of its file is not known.'
  if (reason === null) return { name: 'wasm', ...FACTS.wasm, tried }
  tried.push({ name: 'wasm', code: 'WASM_FILE_MISSING', reason, fix: 'pass the address of its files as wasmPath' })
  await startCpu()
  return { name: 'cpu', ...FACTS.cpu, tried }
}

async function startWasm(wasmPath: string | undefined): Promise<string | null> {
  try {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    if (wasmPath !== undefined) setWasmPaths(wasmPath.endsWith('/') ? wasmPath : `${wasmPath}/`)
    return (await quietly(() => setBackend('wasm'))) ? null : 'The WASM backend did not start.'
  } catch (error) {
    return `The WASM backend did not load: ${error}.`
  }
}
