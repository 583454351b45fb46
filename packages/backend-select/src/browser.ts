// What bundlers for browsers take in the place of index.ts.

import '@tensorflow/tfjs-backend-cpu'
import { scalar, setBackend } from '@tensorflow/tfjs-core'
import { BackendOptionError } from './errors'
import { quietly } from './quietly'
import type { BackendName, Rejection } from './reasons'
import type { SelectBackendOptions, SelectedBackend } from './select-backend'

export { isRowwiseError } from '@rowwise/errors'
export { BackendOptionError, DuplicateCoreError } from './errors'
export type { BackendName, ReasonCode, Rejection } from './reasons'
export type { SelectBackendOptions, SelectedBackend } from './select-backend'

const ORDER: readonly (BackendName | 'auto')[] = ['auto', 'cuda', 'wasm', 'cpu']

const WITHOUT_CUDA: Rejection = {
  name: 'cuda',
  code: 'NOT_INSTALLED',
  reason: 'A browser gives nobody CUDA.',
  fix: 'run the program in Node',
}

/**
 * `selectBackend` in a browser: the cpu backend, on which Rowwise's own WebAssembly kernels run as fast as on any; TensorFlow.js's WASM
 * backend when that is asked for, because only the page knows where its file lies.
 */
export async function selectBackend(options: SelectBackendOptions = {}): Promise<SelectedBackend> {
  const { prefer = 'auto' } = options
  if (!ORDER.includes(prefer)) {
    throw new BackendOptionError(`prefer is '${prefer}', expected one of ${ORDER.join(', ')}`)
  }
  const tried: Rejection[] = [WITHOUT_CUDA]
  const reason = prefer === 'wasm' ? await startWasm() : 'It was not tried, because the place of its file is not known.'
  if (reason === null) return { name: 'wasm', tfjsName: 'wasm', simd: true, threads: 1, tried }
  const fix = "call setWasmPaths() of @tensorflow/tfjs-backend-wasm, and pass prefer: 'wasm'"
  tried.push({ name: 'wasm', code: 'WASM_FILE_MISSING', reason, fix })
  await quietly(async () => {
    await setBackend('cpu')
    scalar(0).dispose() // the first tensor would print the banner
  })
  return { name: 'cpu', tfjsName: 'cpu', simd: false, threads: 1, tried }
}

async function startWasm(): Promise<string | null> {
  try {
    await import('@tensorflow/tfjs-backend-wasm')
    return (await quietly(() => setBackend('wasm'))) ? null : 'The WASM backend did not start.'
  } catch (error) {
    return `The WASM backend did not load: ${error}.`
  }
}
