// Compiles a package's C to WebAssembly with the clang of @yowasp/clang, which is itself WebAssembly: no compiler of the system is needed.
// Modules are written as base64, so a package carries them in its code: no paths to set in Node, a bundler or a browser.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { Exit, runClang } from '@yowasp/clang'

const OUTPUT = 'module.wasm'

const FLAGS = [
  ...[
    '--target=wasm32',
    '-std=c17',
    '-O3',
    '-nostdlib',
    '-ffreestanding',
    '-fno-builtin',
    '-fvisibility=hidden',
    '-I.',
  ],
  ...['-Wall', '-Wextra', '-Werror', '-msimd128', '-mbulk-memory', '-Wl,--no-entry,--export-dynamic,--import-memory'],
  // What is fused is written out, so all builds that fuse agree to the last bit.
  '-ffp-contract=off',
]

/** The files of a directory by name, and those of the directories in it. */
export async function sources(directory) {
  const tree = {}
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const url = new URL(entry.name + (entry.isDirectory() ? '/' : ''), directory)
    tree[entry.name] = entry.isDirectory() ? await sources(url) : await readFile(url, 'utf8')
  }
  return tree
}

/** Compiles one file of a tree of sources, and returns the module as base64. */
export async function compile(tree, file, ...flags) {
  const said = []
  const hear = (bytes) => bytes && said.push(Buffer.from(bytes))
  try {
    const made = await runClang(['clang', ...FLAGS, ...flags, '-o', OUTPUT, file], tree, {
      ...{ stdout: hear, stderr: hear },
      fetchProgress: () => {},
    })
    return Buffer.from(made[OUTPUT]).toString('base64')
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    throw new Error(`clang: ${Buffer.concat(said)}`)
  }
}

/** Writes lines of TypeScript to src/generated. */
export async function writeGenerated(root, name, lines) {
  await mkdir(new URL('src/generated/', root), { recursive: true })
  await writeFile(
    new URL(`src/generated/${name}.ts`, root),
    `// Made from kernels/ by the build.\n${lines.join('\n')}\n`,
  )
}
