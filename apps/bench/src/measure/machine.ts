import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import type { Report } from '../report/report'
import { childProgram } from '../subjects/subjects'

/** The machine in a report: nothing that names its owner. */
export function describeMachine(): Report['machine'] {
  const { node, v8 } = process.versions
  const cpu = cpus()[0]?.model.trim() || 'unknown processor'
  const memoryGiB = Math.round(totalmem() / 2 ** 30)
  return { cpu, vectors: widestVectors(), cores: cpus().length, memoryGiB, node, v8, os: operatingSystem() }
}

function operatingSystem(): string {
  const distribution = /^PRETTY_NAME="?([^"\n]+)/m.exec(read('/etc/os-release'))?.[1]
  return [distribution, `${type()} ${release()}`].filter(Boolean).join(', ')
}

/** The processor's vector instructions, where Linux tells. */
function widestVectors(): string | null {
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(read('/proc/cpuinfo'))?.[1].trim().split(' '))
  const known = [
    ['avx512f', 'AVX-512'],
    ['avx2', 'AVX2'],
    ['avx', 'AVX'],
    ['asimd', 'NEON'],
  ]
  return known.find(([flag]) => flags.has(flag))?.[1] ?? null
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** A disturbance while the peak is measured would make it too low, so the best of some attempts counts. */
const PEAK_ATTEMPTS = 3

/**
 * GFLOP/s of multiply-adds on one core with the vectors of the best kernels, measured in another process.
 *
 * @param quiet settles when it is time for an attempt
 */
export async function measurePeak(quiet: () => Promise<unknown>): Promise<number> {
  let best = 0
  for (let attempt = 0; attempt < PEAK_ATTEMPTS; attempt++) {
    await quiet()
    const { stdout } = await promisify(execFile)(process.execPath, [childProgram('peak')])
    best = Math.max(best, (JSON.parse(stdout) as { gflops: number }).gflops)
  }
  return best
}

/** How this run was called. */
export function commandLine(): string {
  return ['rowwise-bench', ...process.argv.slice(2)].join(' ')
}
