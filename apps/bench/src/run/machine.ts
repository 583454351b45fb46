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

/** GFLOP/s of multiply-adds on one core in vectors of 128 bits, in a process of its own. */
export async function measurePeak(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FUSED, childProgram('peak')])
  return (JSON.parse(stdout) as { gflops: number }).gflops
}

/** How this run was called. */
export function commandLine(): string {
  return ['rowwise-bench', ...process.argv.slice(2)].join(' ')
}
