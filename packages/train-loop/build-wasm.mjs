import { compileAssembly, writeModules } from '../../scripts/compile-assembly.mjs'

const root = new URL('.', import.meta.url)

await writeModules(root, { ADAM_MODULE: await compileAssembly(root, 'simd,bulk-memory') })
