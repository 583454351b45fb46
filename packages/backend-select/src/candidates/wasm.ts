import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setBackend } from '@tensorflow/tfjs-core'
import { simd } from 'wasm-feature-detect'
import { quietly } from '../quietly'
import type { Attempt } from '../reasons'
import { packageDirectory } from './node-modules'

const PACKAGE = '@tensorflow/tfjs-backend-wasm'
const SIMD_FILE = 'tfjs-backend-wasm-simd.wasm'
const reinstall = `npm install ${PACKAGE}`

/**
 * Starts the WASM backend with SIMD. Everything that can fail is looked at first: a backend that fails while it starts
 * prints a stack trace and may take the process down.
 */
export async function startWasm(): Attempt {
  return missingFeature() ?? (await withoutSimd()) ?? (await brokenFile()) ?? (await start())
}

function missingFeature() {
  if (typeof WebAssembly === 'object') return null
  return {
    code: 'NO_WASM' as const,
    reason: 'This runtime has no WebAssembly.',
    fix: 'run node without --jitless',
  }
}

async function withoutSimd() {
  if (await simd()) return null
  return {
    code: 'NO_SIMD' as const,
    reason: "This runtime's WebAssembly has no SIMD instructions.",
    fix: 'use a CPU with SSE4.1 or NEON and node 20.19 or later, without flags that disable SIMD',
  }
}

async function brokenFile() {
  const directory = packageDirectory(PACKAGE)
  if (directory === null) {
    return { code: 'NOT_INSTALLED' as const, reason: `${PACKAGE} is not installed.`, fix: reinstall }
  }
  const path = join(directory, 'dist', SIMD_FILE)
  const bytes = await readFile(path).catch(() => null)
  if (bytes === null) {
    return { code: 'WASM_FILE_MISSING' as const, reason: `${path} is missing or unreadable.`, fix: reinstall }
  }
  if (!WebAssembly.validate(new Uint8Array(bytes))) {
    return { code: 'WASM_FILE_CORRUPT' as const, reason: `${path} is no valid WebAssembly module.`, fix: reinstall }
  }
  return null
}

async function start() {
  try {
    await import('@tensorflow/tfjs-backend-wasm')
    if (await quietly(() => setBackend('wasm'))) return null
    return { code: 'LOAD_FAILED' as const, reason: 'The WASM backend did not start.', fix: reinstall }
  } catch (error) {
    return { code: 'LOAD_FAILED' as const, reason: `The WASM backend did not load: ${error}.`, fix: reinstall }
  }
}
