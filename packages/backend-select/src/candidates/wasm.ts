import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageDirectory } from '@rowwise/host'
import { setBackend } from '@tensorflow/tfjs-core'
import { simd } from 'wasm-feature-detect'
import { quietly } from '../quietly'
import type { Attempt, Rejection } from '../reasons'
import { directoryBesideProgram } from './places'

const PACKAGE = '@tensorflow/tfjs-backend-wasm'
const SIMD_FILE = 'tfjs-backend-wasm-simd.wasm'
const reinstall = `npm install ${PACKAGE}`
const forBundles = `copy ${SIMD_FILE} from ${PACKAGE}/dist beside the bundle, or pass its directory as wasmPath`

type Reason = Omit<Rejection, 'name'>

/**
 * Starts the WASM backend with SIMD. Everything that can fail is looked at first: a backend that fails while it starts
 * prints a stack trace and may take the process down.
 *
 * @param wasmPath directory of its .wasm files; found beside the program, or where they are installed, when absent
 */
export async function startWasm(wasmPath: string | undefined): Attempt {
  const unable = missingFeature() ?? (await withoutSimd())
  if (unable) return unable
  const installed = packageDirectory(PACKAGE)
  const directory = wasmPath ?? directoryBesideProgram(SIMD_FILE) ?? (installed && join(installed, 'dist'))
  if (directory === null) {
    const reason = `${SIMD_FILE} was found neither in an installed ${PACKAGE} nor beside the program.`
    return { code: 'WASM_FILE_MISSING', reason, fix: `${reinstall}; for a bundle, ${forBundles}` }
  }
  const fix = wasmPath === undefined ? reinstall : `pass a directory that has ${SIMD_FILE} as wasmPath, or leave it out`
  return (await brokenFile(join(directory, SIMD_FILE), fix)) ?? (await start(directory))
}

function missingFeature(): Reason | null {
  if (typeof WebAssembly === 'object') return null
  return { code: 'NO_WASM', reason: 'This runtime has no WebAssembly.', fix: 'run node without --jitless' }
}

async function withoutSimd(): Promise<Reason | null> {
  if (await simd()) return null
  return {
    code: 'NO_SIMD',
    reason: "This runtime's WebAssembly has no SIMD instructions.",
    fix: 'use a CPU with SSE4.1 or NEON and node 20.19 or later, without flags that disable SIMD',
  }
}

async function brokenFile(path: string, fix: string): Promise<Reason | null> {
  const bytes = await readFile(path).catch(() => null)
  if (bytes === null) {
    return { code: 'WASM_FILE_MISSING', reason: `${path} is missing or unreadable.`, fix }
  }
  if (WebAssembly.validate(new Uint8Array(bytes))) return null
  return { code: 'WASM_FILE_CORRUPT', reason: `${path} is not a valid WebAssembly module.`, fix }
}

async function start(directory: string): Promise<Reason | null> {
  try {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(join(directory, '/'))
    if (await leavingListeners(() => quietly(() => setBackend('wasm')))) return null
    return loadFailed('The WASM backend did not start.')
  } catch (error) {
    return loadFailed(`The WASM backend did not load: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** Emscripten adds listeners that turn every uncaught error of the whole program into exit code 7 and a page of its own code. */
async function leavingListeners<T>(work: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.rawListeners(event))
  try {
    return await work()
  } finally {
    events.forEach((event, index) => {
      const added = process.rawListeners(event).filter((listener) => !before[index].includes(listener))
      for (const listener of added) process.off(event, listener as (...args: unknown[]) => void)
    })
  }
}

function loadFailed(reason: string): Reason {
  return {
    code: 'LOAD_FAILED',
    reason,
    fix: `${reinstall}; in a bundle of ES modules, define require and __dirname in its banner, or bundle to CommonJS`,
  }
}
