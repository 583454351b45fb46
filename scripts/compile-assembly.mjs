// Compiles a package's assembly/ to a WebAssembly module and gives it as base64, to be embedded in the package's code: what
// carries its kernels with it needs no path settings in Node, a bundler or a browser.
import { mkdir, writeFile } from 'node:fs/promises'
import asc from 'assemblyscript/asc'

/**
 * @param root directory of the package, as a URL that ends with a slash
 * @param features what `--enable` takes
 * @param flags further flags of the compiler
 * @param entry the program, from the root
 */
export async function compileAssembly(root, features, flags = [], entry = 'assembly/index.ts') {
  let binary
  const { error, stderr } = await asc.main(
    [
      entry,
      '--outFile=module.wasm',
      ...['-O3', '--converge', '--noAssert', '--runtime=stub', '--importMemory', `--enable=${features}`],
      ...flags,
    ],
    {
      baseDir: new URL(root).pathname,
      writeFile: (name, content) => {
        if (name.endsWith('.wasm')) binary = content
      },
    },
  )
  if (error) throw new Error(`assemblyscript: ${error.message}\n${stderr}`)
  return Buffer.from(binary).toString('base64')
}

/** Writes constants into src/generated/modules.ts. */
export async function writeModules(root, modules) {
  const lines = Object.entries(modules).map(([name, base64]) => `export const ${name} = '${base64}'`)
  await mkdir(new URL('src/generated/', root), { recursive: true })
  await writeFile(
    new URL('src/generated/modules.ts', root),
    `// Made from assembly/ by the package's build.\n${lines.join('\n')}\n`,
  )
}
