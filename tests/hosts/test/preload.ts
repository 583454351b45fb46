import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const fixtures = new URL('fixtures', import.meta.url).pathname

/** Whether a library can be put between Node and the system here: on Linux, with a C compiler. */
export const canPreload = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0

/** The environment of a program that has a C file of the fixtures put between it and the system. */
export function preload(name: string): { LD_PRELOAD: string } {
  const library = join(tmpdir(), `rowwise-${name}.so`)
  if (!existsSync(library)) {
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, join(fixtures, `${name}.c`), '-ldl'])
    if (status !== 0) throw new Error(`${name}.c does not compile: ${stderr}`)
  }
  return { LD_PRELOAD: library }
}
