// Two things that Node's V8 has, but not by default, make the kernels up to twice as fast: relaxed SIMD in Node 20, and a
// compiler in Node 24 that makes one 256-bit operation of two 128-bit ones. To compile at once with the compiler that optimizes
// makes the first steps as fast as the later ones, and to keep it from unrolling makes all of them faster in Node 20. Flags do that. They
// are set while the kernels are compiled, which happens at one go, and reset before anything else runs; compiled code keeps what it
// was compiled with.

import { environmentVariable } from '@rowwise/host'

/** What a flag is worth setting for. */
export type V8Feature = 'relaxed-simd' | 'wide' | 'optimized' | 'rolled'

interface NodeV8 {
  setFlagsFromString(flag: string): void
}

interface FlagChange {
  /** Major versions of Node whose V8 is known to take the flags at run time. An unknown flag would be complained of. */
  readonly majors: readonly number[]
  readonly architectures?: readonly string[]
  readonly set: readonly string[]
  readonly reset: readonly string[]
}

const CHANGES: Readonly<Record<V8Feature, FlagChange>> = {
  'relaxed-simd': {
    majors: [20],
    set: ['--experimental-wasm-relaxed-simd'],
    reset: ['--no-experimental-wasm-relaxed-simd'],
  },
  // Both together with `optimized`: the compiler that does it reads the flag when it runs, and has to run now.
  wide: {
    majors: [24],
    architectures: ['x64'],
    set: ['--experimental-wasm-revectorize'],
    reset: ['--no-experimental-wasm-revectorize'],
  },
  // Node 26 crashes when it is told to at run time.
  optimized: {
    majors: [20, 22, 24],
    set: ['--no-liftoff', '--no-wasm-lazy-compilation'],
    reset: ['--liftoff', '--wasm-lazy-compilation'],
  },
  // Loops stay as they are written. Unrolled by the older compiler they run out of registers.
  rolled: {
    majors: [20],
    set: ['--no-wasm-loop-unrolling'],
    reset: ['--wasm-loop-unrolling'],
  },
}

/** Whether this V8 has a feature that only waits for its flag. Never where the user sets flags for WebAssembly. */
export function canSwitchOn(feature: V8Feature): boolean {
  const { majors, architectures } = CHANGES[feature]
  const process = nodeProcess()
  if (process === undefined || environmentVariable('ROWWISE_V8_FLAGS') === 'off') return false
  const flags = [...process.execArgv, environmentVariable('NODE_OPTIONS') ?? ''].join(' ')
  return (
    nodeV8() !== undefined &&
    majors.includes(Number.parseInt(process.versions.node, 10)) &&
    (architectures?.includes(process.arch) ?? true) &&
    !/wasm|liftoff|jitless/.test(flags)
  )
}

/** Does something, which must not wait, with the features switched on that can be. */
export function withFeatures<Result>(features: readonly V8Feature[], action: () => Result): Result {
  const changes = features.filter(canSwitchOn).map((feature) => CHANGES[feature])
  const v8 = nodeV8()
  try {
    for (const flag of changes.flatMap(({ set }) => set)) v8?.setFlagsFromString(flag)
    return action()
  } finally {
    for (const flag of changes.flatMap(({ reset }) => reset)) v8?.setFlagsFromString(flag)
  }
}

function nodeProcess(): NodeJS.Process | undefined {
  const { process } = globalThis as { process?: NodeJS.Process }
  return process?.versions?.node === undefined ? undefined : process
}

/** Not imported, so that bundlers for browsers need no settings. */
function nodeV8(): NodeV8 | undefined {
  return nodeProcess()?.getBuiltinModule?.('node:v8') as NodeV8 | undefined
}
