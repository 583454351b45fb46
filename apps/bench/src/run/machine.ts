import { execFile } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import { childProgram } from '../contestants/contestants'
import type { Report } from './report'

export function describeMachine(): Report['machine'] {
  const { node, v8 } = process.versions
  const cpu = cpus()[0]?.model.trim() || 'unknown processor'
  const memoryGiB = Math.round(totalmem() / 2 ** 30)
  return { cpu, cores: cpus().length, memoryGiB, node, v8, platform: `${type()} ${release()}` }
}

/** Node 20 has fused multiply-adds behind a flag, with which the kernels use them too. */
const FUSED = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : []

/** A disturbance that begins while the peak is measured would make it too low, and every share of it too high. */
const PEAK_ATTEMPTS = 3

/**
 * GFLOP/s of multiply-adds on one core in vectors of 128 bits, in a process of its own: the most of some attempts.
 *
 * @param quiet settles when it is time for an attempt
 */
export async function measurePeak(quiet: () => Promise<unknown>): Promise<number> {
  let best = 0
  for (let attempt = 0; attempt < PEAK_ATTEMPTS; attempt++) {
    await quiet()
    const { stdout } = await promisify(execFile)(process.execPath, [...FUSED, childProgram('peak')])
    best = Math.max(best, (JSON.parse(stdout) as { gflops: number }).gflops)
  }
  return best
}

/** How this run was called. */
export function commandLine(): string {
  return ['rowwise-bench', ...process.argv.slice(2)].join(' ')
}
