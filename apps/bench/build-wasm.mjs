import { compile, sources, writeGenerated } from '../../scripts/compile-c.mjs'

const root = new URL('.', import.meta.url)

const tree = await sources(new URL('kernels/', root))
await writeGenerated(root, 'modules', [
  `export const SIMD_MODULE = '${await compile(tree, 'peak.c')}'`,
  `export const FUSED_MODULE = '${await compile(tree, 'peak.c', '-mrelaxed-simd')}'`,
])
