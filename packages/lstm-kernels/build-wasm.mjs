import { compileAssembly, writeModules } from '../../scripts/compile-assembly.mjs'

const root = new URL('.', import.meta.url)
const memory = ['--sharedMemory', '--maximumMemory=32768'] // pages: 2 GiB, as MAX_PAGES in src/wasm/arena.ts

/** `wide` for an engine that makes one 256-bit operation of two of 128 bits, as assembly/tile.ts says. */
const compile = (features, { wide = false } = {}) =>
  compileAssembly(root, `simd,threads,bulk-memory${features}`, [...memory, '--use', `WIDE=${Number(wide)}`])

await writeModules(root, {
  SIMD_MODULE: await compile(''),
  RELAXED_SIMD_MODULE: await compile(',relaxed-simd'),
  WIDE_MODULE: await compile(',relaxed-simd', { wide: true }),
})
