import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
// @ts-expect-error: a build script, without types
import { addonOf, buildAddon, localCompiler, thisPlatform } from '../../../packages/rnn-kernels/build-native.mjs'
import { isSoak, report, seed, TIMEOUT, temporaryDirectory } from './soak'

const ROUNDS = isSoak ? 20_000 : 1000
const program = new URL('fuzz-addon.mjs', import.meta.url).pathname
const platform = thisPlatform()
const compiler = localCompiler()
const built = platform === undefined ? '' : addonOf(platform)

/** Runs the program; it must end well and say nothing but how many calls were refused. */
function fuzz(addon: string, environment: NodeJS.ProcessEnv = {}): number {
  const options = { env: { ...process.env, ...environment }, encoding: 'utf8' } as const
  const refused = Number(execFileSync(process.execPath, [program, addon, String(ROUNDS), String(seed)], options))
  report(`the addon: ${ROUNDS} rounds ${refused} calls refused`)
  return refused
}

describe('the addon', () => {
  it.runIf(existsSync(built))('computes or refuses, whatever it is called with', { timeout: TIMEOUT }, () => {
    expect(fuzz(built)).toBeGreaterThan(ROUNDS / 10)
  })

  it.runIf(isSoak && compiler && process.platform === 'linux')(
    'touches nothing but its arrays, and does nothing undefined: the sanitizers of addresses and of undefined behaviour say nothing',
    { timeout: TIMEOUT },
    () => {
      const addon = join(temporaryDirectory(), 'rowwise.node')
      const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-O1']
      buildAddon(platform as string, compiler as string[], sanitizers, addon)
      const library = execFileSync((compiler as string[])[0], ['-print-file-name=libasan.so'], { encoding: 'utf8' })
      // What Node itself leaves behind is no concern of ours.
      const environment = { LD_PRELOAD: library.trim(), ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1' }
      expect(fuzz(addon, environment)).toBeGreaterThan(ROUNDS / 10)
    },
  )
})
