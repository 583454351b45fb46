// Builds the addon for this machine when there is a C compiler, and says so when there is none: everything runs without it, slower. With
// --all it is built for every platform, by `zig cc` (ziglang from PyPI).
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import headers from 'node-api-headers'

const root = fileURLToPath(new URL('.', import.meta.url))
const FILE = 'rowwise.node'

/** The builds of each processor: symbol, which is also the name, and what lets the compiler use its instructions. */
const MACHINES = {
  x64: { avx512: ['-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx2', '-mfma'], avx2: ['-mavx2', '-mfma'], sse2: [] },
  arm64: { neon: [] },
}

/** The platforms that are published, by their packages' names, and what zig calls them. */
export const TARGETS = {
  'linux-x64': 'x86_64-linux-gnu.2.28',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64': 'aarch64-linux-gnu.2.28',
  'darwin-arm64': 'aarch64-macos',
  'darwin-x64': 'x86_64-macos',
  'win32-x64': 'x86_64-windows-gnu',
}

/** What an addon was built from; the packages hold it against theirs. */
export function sourcesHash() {
  const hash = createHash('sha256')
  for (const directory of ['kernels', 'kernels/cells', 'native'])
    for (const name of readdirSync(join(root, directory)).sort())
      if (/\.[ch]$/.test(name)) hash.update(name).update(readFileSync(join(root, directory, name)))
  return hash.digest('hex').slice(0, 16)
}

/** Where a platform's file goes. */
export const addonOf = (platform) => join(root, 'platforms', platform, FILE)

/** The platform of this process, by its package's name; undefined when there is none. */
export function thisPlatform() {
  const { glibcVersionRuntime } = process.platform === 'linux' ? process.report.getReport().header : {}
  const isMusl = process.platform === 'linux' && glibcVersionRuntime === undefined
  const name = `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`
  return name in TARGETS ? name : undefined
}

/** The first C compiler that runs: $CC, cc, gcc, clang. */
export function localCompiler() {
  for (const name of [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean)) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' })
      return [name]
    } catch {} // it is not there
  }
}

/** Builds the addon of a platform with a compiler, a command and its first arguments. `extra` goes to all of its calls. */
export function buildAddon(platform, [command, ...first], extra = [], output = addonOf(platform)) {
  const [system, processor] = platform.split('-')
  const made = mkdtempSync(join(tmpdir(), 'rowwise-addon-'))
  const compile = (...options) =>
    execFileSync(command, [...first, ...options], { stdio: ['ignore', 'ignore', 'inherit'], cwd: root })
  const always = [
    '-std=gnu17',
    '-O3',
    '-ffp-contract=off',
    '-fno-math-errno',
    '-fno-trapping-math',
    '-fno-builtin-fma',
    '-fvisibility=hidden',
    '-g0',
    '-Wall',
    '-Wextra',
    '-Ikernels',
    `-I${headers.include_dir}`,
  ]
  if (system !== 'win32') always.push('-fPIC')
  try {
    const objects = Object.entries(MACHINES[processor]).map(([name, flags]) => {
      const object = join(made, `${name}.o`)
      compile(
        ...always,
        ...extra,
        ...flags,
        `-DMACHINE=${name}`,
        `-DMACHINE_NAME="${name}"`,
        '-c',
        'native/machine.c',
        '-o',
        object,
      )
      return object
    })
    const link = { darwin: ['-undefined', 'dynamic_lookup'], win32: [], linux: ['-pthread', '-Wl,--as-needed'] }[system]
    if (system === 'win32') {
      const library = join(made, 'node_api.lib')
      execFileSync(command, [
        ...first.slice(0, first.indexOf('cc')),
        'dlltool',
        '-m',
        'i386:x86-64',
        '-d',
        headers.def_paths.node_api_def,
        '-l',
        library,
      ])
      link.push(library)
    }
    const file = join(made, FILE)
    compile(
      ...always,
      ...extra,
      '-shared',
      `-DSOURCES="${sourcesHash()}"`,
      'native/addon.c',
      ...objects,
      ...link,
      '-s',
      '-o',
      file,
    )
    mkdirSync(join(output, '..'), { recursive: true })
    const beside = `${output}.${process.pid}`
    copyFileSync(file, beside)
    renameSync(beside, output) // whoever has it loaded keeps the old file
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

const isCurrent = (file) => existsSync(file) && readFileSync(file).includes(sourcesHash())

/** Builds for this machine, if it has a platform and a compiler. */
function buildHere() {
  const platform = thisPlatform()
  if (platform === undefined)
    return console.error(`no native kernels are built: there are none for ${process.platform}-${process.arch}`)
  if (isCurrent(addonOf(platform))) return
  rmSync(addonOf(platform), { force: true }) // of other sources
  const compiler = localCompiler()
  if (compiler === undefined) {
    return console.error(
      'no native kernels are built: there is no C compiler (cc, gcc or clang); WebAssembly is used instead',
    )
  }
  try {
    buildAddon(platform, compiler)
  } catch (error) {
    console.error(`no native kernels are built: ${error.message}; WebAssembly is used instead`)
  }
}

/** Builds for every platform that is published. */
function buildAll(zig) {
  for (const [platform, target] of Object.entries(TARGETS)) {
    buildAddon(platform, [...zig.split(' '), 'cc', '-target', target])
  }
}

function main() {
  const { values } = parseArgs({
    options: { all: { type: 'boolean' }, zig: { type: 'string', default: 'python3 -m ziglang' } },
  })
  if (values.all) buildAll(values.zig)
  else buildHere()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
