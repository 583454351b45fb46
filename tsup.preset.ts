import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'

/** The packages under `internal/`. */
const INTERNAL = [
  '@rowwise/atomic-file',
  '@rowwise/charts',
  '@rowwise/directory-lock',
  '@rowwise/errors',
  '@rowwise/host',
  '@rowwise/host-values',
  '@rowwise/safetensors',
]

/** Where their types are; found there and not in node_modules, they become part of a package's own. */
const INTERNAL_SOURCES = Object.fromEntries(
  INTERNAL.map((name) => [
    name,
    [fileURLToPath(new URL(name.replace('@rowwise', 'internal'), import.meta.url)).concat('/src/index.ts')],
  ]),
)

/** What a package's `tsup.config.ts` may add to the common build. */
export type BuildOptions = Pick<Options, 'entry' | 'external' | 'noExternal' | 'platform' | 'dts' | 'banner' | 'loader'>

/**
 * The one build of all packages: ES modules and CommonJS, types for both, source maps, dependencies left outside.
 * What is private to this repository is inlined, code and types.
 */
export function library(options: BuildOptions = {}): Options[] {
  rmSync('dist', { recursive: true, force: true }) // once, not by each of the builds that run side by side
  return [build('esm', options), build('cjs', options)]
}

/** The build of a program with a `bin`: ES modules only, run by Node, no types. */
export function program(options: BuildOptions = {}): Options {
  return { ...build('esm', { platform: 'node', dts: false, ...options }), clean: true }
}

function build(format: 'esm' | 'cjs', { noExternal = [], ...rest }: BuildOptions): Options {
  return {
    entry: ['src/index.ts'],
    format: [format],
    target: 'node20',
    platform: 'neutral',
    dts: { compilerOptions: { paths: INTERNAL_SOURCES } },
    sourcemap: true,
    splitting: false,
    treeshake: format === 'esm', // in CommonJS it would hide each `require` behind a function, which bundlers cannot follow
    silent: true,
    noExternal: [...INTERNAL, ...noExternal],
    esbuildOptions(esbuild) {
      esbuild.mainFields = ['module', 'main']
      if (format === 'esm') return
      esbuild.platform = 'node'
      // Jest cannot `import()` from CommonJS, so that becomes a require; code that asks where it is has __filename there.
      esbuild.supported = { ...esbuild.supported, 'dynamic-import': false }
      esbuild.define = { ...esbuild.define, 'import.meta.url': 'undefined' }
    },
    ...rest,
  }
}
