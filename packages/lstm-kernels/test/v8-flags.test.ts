import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { RELAXED_SIMD_MODULE } from '../src/generated/modules'
import { kernelModule, wideModule } from '../src/wasm/module'
import { canSwitchOn, type V8Feature, withFeatures } from '../src/wasm/v8-flags'

const major = Number.parseInt(process.versions.node, 10)
const features: readonly V8Feature[] = ['relaxed-simd', 'wide', 'optimized', 'rolled']
const { execArgv } = process

afterEach(() => {
  delete process.env.ROWWISE_V8_FLAGS
  delete process.env.NODE_OPTIONS
  process.execArgv = execArgv
})

/** Whether V8 has relaxed SIMD at this moment. */
const hasRelaxedSimd = () => WebAssembly.validate(Buffer.from(RELAXED_SIMD_MODULE, 'base64'))

describe('V8 flags', () => {
  it('bring relaxed SIMD to every supported Node', () => {
    expect(kernelModule('relaxed-simd')).not.toBeNull()
  })

  it('bring 256-bit vectors to Node 24 on x86-64', () => {
    expect(wideModule()?.vectorBits).toBe(major === 24 && process.arch === 'x64' ? 256 : undefined)
  })

  it.each(features.filter(canSwitchOn))('for %s are reset when the kernels are compiled, or fail to be', (feature) => {
    const before = hasRelaxedSimd()
    expect(withFeatures([feature], hasRelaxedSimd)).toBe(before || feature === 'relaxed-simd')
    expect(hasRelaxedSimd()).toBe(before)
    expect(() => withFeatures([feature], () => new WebAssembly.Module(Buffer.of(1)))).toThrow(WebAssembly.CompileError)
    expect(hasRelaxedSimd()).toBe(before)
  })

  it('are left alone when the user says so', () => {
    process.env.ROWWISE_V8_FLAGS = 'off'
    expect(features.filter(canSwitchOn)).toEqual([])
  })

  it('are left alone when the user sets some for WebAssembly', () => {
    process.execArgv = ['--no-liftoff']
    expect(features.filter(canSwitchOn)).toEqual([])
    process.execArgv = []
    process.env.NODE_OPTIONS = '--wasm-tier-up'
    expect(features.filter(canSwitchOn)).toEqual([])
  })

  it('are never set on a Node that is not known to have them, which would complain', () => {
    const known: Record<number, V8Feature[]> = {
      20: ['relaxed-simd', 'optimized', 'rolled'],
      22: ['optimized'],
      24: process.arch === 'x64' ? ['wide', 'optimized'] : ['optimized'],
    }
    expect(features.filter(canSwitchOn)).toEqual(known[major] ?? [])
    const program = 'for (const flag of JSON.parse(process.argv[1])) require("node:v8").setFlagsFromString(flag)'
    const flags =
      { 20: ['--experimental-wasm-relaxed-simd', '--no-wasm-loop-unrolling'], 24: ['--experimental-wasm-revectorize'] }[
        major
      ] ?? []
    expect(execFileSync(process.execPath, ['-e', program, JSON.stringify(flags)], { stdio: 'pipe' }).length).toBe(0)
  })
})
