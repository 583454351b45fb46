import { compileAssembly, writeModules } from '../../scripts/compile-assembly.mjs'

const root = new URL('.', import.meta.url)

await writeModules(root, { LOOK_UP_MODULE: await compileAssembly(root, 'bulk-memory') })
