import { readFile, rm, writeFile } from 'node:fs/promises'
import { compileAssembly, writeModules } from '../../scripts/compile-assembly.mjs'

const root = new URL('.', import.meta.url)

/** The same sums with fused multiply-adds, which only relaxed SIMD has. */
async function compileFused() {
  const source = new URL('assembly/index.ts', root)
  const plain = await readFile(source, 'utf8')
  const fused = plain
    .replaceAll(/f32x4\.add\((\w), product\(([^,]+), y\)\)/g, 'f32x4.relaxed_madd(v128.load($2), y, $1)')
    .replaceAll(/f32x4\.add\((\w), f32x4\.mul\((\w), (\w)\)\)/g, 'f32x4.relaxed_madd($2, $3, $1)')
  const entry = new URL('assembly/fused.ts', root)
  await writeFile(entry, fused)
  try {
    return await compileAssembly(root, 'simd,relaxed-simd,bulk-memory', [], 'assembly/fused.ts')
  } finally {
    await rm(entry)
  }
}

await writeModules(root, {
  SIMD_MODULE: await compileAssembly(root, 'simd,bulk-memory'),
  FUSED_MODULE: await compileFused(),
})
