import { compileAssembly, writeModules } from '../../scripts/compile-assembly.mjs'

const root = new URL('.', import.meta.url)
const memory = ['--sharedMemory', '--maximumMemory=32768'] // pages: 2 GiB, as MAX_PAGES in src/wasm/arena.ts

await writeModules(root, {
  SIMD_MODULE: await compileAssembly(root, 'simd,threads,bulk-memory', memory),
  RELAXED_SIMD_MODULE: await compileAssembly(root, 'simd,threads,bulk-memory,relaxed-simd', memory),
})
