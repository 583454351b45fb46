import { join } from 'node:path'
import { succeed } from '../../release/test/run'
import { environment, type Project } from './project'

/** One way to make a program for Node or Bun of a file that imports our packages. */
export interface Bundler {
  name: string
  /** What is bundled. */
  source: 'main.mjs' | 'main.cjs'
  /** The file that is run, in the bundle's directory. */
  file: string
  /** The command that makes `bundles/<name>/<file>`, quiet but for warnings. */
  command(project: Project, output: string): [program: string, ...args: string[]]
  /** What runs it; Node when absent. */
  runtime?: 'bun' | 'itself'
  /** Why WASM cannot run in it, wherever its file is. */
  withoutWasm?: string
}

/** Versions of all of them. */
export const TOOLS = [
  'esbuild@0.28.2',
  'webpack@5.112.2',
  'webpack-cli@7.3.1',
  'rollup@4.68.8',
  '@rollup/plugin-node-resolve@16.0.3',
  '@rollup/plugin-commonjs@29.0.3',
  '@rollup/plugin-json@6.1.0',
  '@vercel/ncc@0.45.0',
  'vite@8.3.8',
  'bun@1.4.5',
]

/** TensorFlow.js uses `require` and `__dirname`, which ES modules have none of, so bundles of it to ES modules need these lines. */
export const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
const DIRNAME = 'const __dirname = import.meta.dirname;'
const BANNER = `${REQUIRE} ${DIRNAME}`

function esbuild(project: Project, output: string, source: string, ...options: string[]): [string, ...string[]] {
  const common = ['--bundle', '--platform=node', '--log-level=warning', `--outfile=${output}`]
  return [project.bin('esbuild'), source, ...common, ...options]
}

const node = (...args: string[]): [string, ...string[]] => [process.execPath, ...args]

export const BUNDLERS: readonly Bundler[] = [
  {
    name: 'esbuild, ES modules to CommonJS',
    source: 'main.mjs',
    file: 'main.cjs',
    command: (project, output) => esbuild(project, output, 'main.mjs', '--format=cjs'),
  },
  {
    name: 'esbuild, CommonJS to CommonJS, minified',
    source: 'main.cjs',
    file: 'main.cjs',
    command: (project, output) => esbuild(project, output, 'main.cjs', '--format=cjs', '--minify', '--keep-names'),
  },
  {
    name: 'esbuild, ES modules to ES modules',
    source: 'main.mjs',
    file: 'main.mjs',
    command: (project, output) => esbuild(project, output, 'main.mjs', '--format=esm', `--banner:js=${BANNER}`),
  },
  {
    name: 'esbuild, ES modules to ES modules, without __dirname',
    source: 'main.mjs',
    file: 'main.mjs',
    withoutWasm: 'TensorFlow.js needs __dirname',
    command: (project, output) => esbuild(project, output, 'main.mjs', '--format=esm', `--banner:js=${REQUIRE}`),
  },
  {
    name: 'esbuild, ES modules of all packages to ES modules',
    source: 'main.mjs',
    file: 'main.mjs',
    command: (project, output) =>
      esbuild(project, output, 'main.mjs', '--format=esm', '--main-fields=module,main', `--banner:js=${BANNER}`),
  },
  {
    name: 'webpack, ES modules',
    source: 'main.mjs',
    file: 'main.cjs',
    command: (project, output) => webpack(project, output, 'main.mjs'),
  },
  {
    name: 'webpack, CommonJS',
    source: 'main.cjs',
    file: 'main.cjs',
    command: (project, output) => webpack(project, output, 'main.cjs'),
  },
  {
    name: 'rollup to CommonJS',
    source: 'main.mjs',
    file: 'main.cjs',
    command: (project, output) => rollup(project, output, { format: 'cjs' }),
  },
  {
    name: 'rollup to ES modules',
    source: 'main.mjs',
    file: 'main.mjs',
    command: (project, output) => rollup(project, output, { format: 'es', banner: BANNER }),
  },
  {
    name: 'Vite for the server, nothing external',
    source: 'main.mjs',
    file: 'main.mjs',
    command(project, output) {
      const config = {
        logLevel: 'warn',
        ssr: { noExternal: true },
        build: {
          ssr: 'main.mjs',
          outDir: join(output, '..'),
          target: 'node20',
          rollupOptions: { output: { banner: DIRNAME, entryFileNames: 'main.mjs' } },
        },
      }
      project.write('vite.config.mjs', `export default ${JSON.stringify(config)}\n`)
      return node(project.bin('vite'), 'build')
    },
  },
  {
    name: 'ncc, ES modules',
    source: 'main.mjs',
    file: 'index.mjs',
    withoutWasm: 'its ES modules have no __dirname, and there is no option for a banner',
    command: (project, output) =>
      node(project.bin('@vercel/ncc'), 'build', 'main.mjs', '--quiet', '--out', join(output, '..')),
  },
  {
    name: 'ncc, CommonJS',
    source: 'main.cjs',
    file: 'index.cjs',
    command: (project, output) =>
      node(project.bin('@vercel/ncc'), 'build', 'main.cjs', '--quiet', '--out', join(output, '..')),
  },
  {
    name: 'bun build for Node, ES modules',
    source: 'main.mjs',
    file: 'main.mjs',
    command: (project, output) => bun(project, output, 'main.mjs', '--target=node'),
  },
  {
    name: 'bun build for Node, CommonJS',
    source: 'main.cjs',
    file: 'main.cjs',
    command: (project, output) => bun(project, output, 'main.cjs', '--target=node', '--format=cjs'),
  },
  {
    name: 'bun build for Bun',
    source: 'main.mjs',
    file: 'main.mjs',
    command: (project, output) => bun(project, output, 'main.mjs', '--target=bun'),
    runtime: 'bun',
  },
  {
    name: 'bun build --compile',
    source: 'main.mjs',
    file: 'main',
    command: (project, output) => bun(project, output, 'main.mjs', '--compile'),
    runtime: 'itself',
  },
]

function webpack(project: Project, output: string, source: string): [string, ...string[]] {
  const config = {
    ...{ entry: `./${source}`, target: 'node', mode: 'production', stats: 'errors-warnings' },
    optimization: { minimize: source.endsWith('.mjs') }, // it takes 10 seconds
    output: { path: join(output, '..'), filename: 'main.cjs' },
  }
  const file = project.write(`webpack-${source}.config.cjs`, `module.exports = ${JSON.stringify(config)}\n`)
  return node(project.bin('webpack-cli'), '--config', file)
}

function rollup(project: Project, output: string, settings: object): [string, ...string[]] {
  const config = `
    import commonjs from '@rollup/plugin-commonjs'
    import json from '@rollup/plugin-json'
    import { nodeResolve } from '@rollup/plugin-node-resolve'
    export default {
      input: 'main.mjs',
      output: ${JSON.stringify({ file: output, inlineDynamicImports: true, ...settings })},
      plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs(), json()],
      logLevel: 'warn',
    }`
  const file = project.write(`rollup-${output.split('.').at(-1)}.config.mjs`, config)
  return node(project.bin('rollup'), '--config', file)
}

function bun(project: Project, output: string, source: string, ...options: string[]): [string, ...string[]] {
  return [project.bin('bun'), 'build', source, '--outfile', output, ...options]
}

/** A bundle's file, and what the bundler printed. */
export interface Bundle {
  file: string
  output: string
}

const made = new Map<string, Promise<Bundle>>()

/** Makes a bundle, once. */
export function bundle(project: Project, bundler: Bundler): Promise<Bundle> {
  const bundle = made.get(bundler.name) ?? make(project, bundler)
  made.set(bundler.name, bundle)
  return bundle
}

async function make(project: Project, bundler: Bundler): Promise<Bundle> {
  const file = project.path('bundles', bundler.name.replace(/\W+/g, '-'), bundler.file)
  const [program, ...args] = bundler.command(project, file)
  const { stdout, stderr } = await succeed(program, args, { cwd: project.directory, env: environment })
  return { file, output: stderr + stdout }
}

/** The command that runs a bundle. */
export function runner(bundler: Bundler, bunProgram: string, file: string): [string, ...string[]] {
  if (bundler.runtime === 'itself') return [file]
  return [bundler.runtime === 'bun' ? bunProgram : process.execPath, file]
}
