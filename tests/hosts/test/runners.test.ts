import { copyFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { codes, type HostOptions, inNode, type Outcome, onCpu, type Report, runSmoke } from './host'
import { Project } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install(['jest@30.5.2', 'jest-environment-jsdom@30.5.2', 'vitest@4.1.12', 'jsdom@26.1.0'])
  project.write('tests/smoke.test.cjs', "test('smoke', () => require('../smoke.cjs').smoke(), 60_000)\n")
  project.write(
    'tests/smoke.test.mjs',
    "import { smoke } from '../smoke.mjs'\n\ntest('smoke', () => smoke(), 60_000)\n",
  )
  copyFileSync(new URL('fixtures/jest-reporter.cjs', import.meta.url), project.path('reporter.cjs'))
  expected = (await inNode(project)).report
  return () => project.remove()
})

/** What Node says of Jest's ES modules. */
const WARNS = [
  /^\(node:\d+\) ExperimentalWarning: VM Modules is an experimental feature.*$/m,
  /^\(Use `node --trace-.*$/m,
]

/** A test file run by Jest; its reporter prints failures and what the test printed, nothing else. */
function jest(file: string, config: object = {}, options: Partial<HostOptions> = {}): Promise<Outcome> {
  const settings = { reporters: ['./reporter.cjs'], transform: {}, testMatch: [`**/${file}`], ...config }
  const flags = file.endsWith('.mjs') ? ['--experimental-vm-modules'] : []
  const path = project.write(`jest-${Object.keys(config).join('-')}-${file}.json`, {
    moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
    ...settings,
    rootDir: project.directory,
  })
  const args = [...flags, project.bin('jest'), '--config', path]
  return runSmoke(process.execPath, args, { cwd: project.directory, prints: WARNS, ...options })
}

describe('Jest', () => {
  it.each(['smoke.test.cjs', 'smoke.test.mjs'])('gives the same bits, on WASM (%s)', async (file) => {
    expect(await jest(file)).toEqual({ exitCode: 0, output: '', report: expected })
  })

  // jsdom has the `browser` condition, so it gets what a page gets: no files, no place of WASM's file.
  it.each(['smoke.test.cjs', 'smoke.test.mjs'])(
    'with jsdom gives the same bits, on the cpu backend (%s)',
    async (file) => {
      const env = { SMOKE_PARSES: '1', SMOKE_ROOT: project.shortFiles() }
      const { exitCode, output, report } = await jest(file, { testEnvironment: 'jsdom' }, { env })
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
      expect(codes(report)).toEqual(['cuda NOT_INSTALLED', 'wasm WASM_FILE_MISSING'])
      expect(report).toEqual(onCpu(expected, report?.tried))
    },
  )

  it("with jsdom and Node's conditions gives the same bits, on WASM", async () => {
    const testEnvironmentOptions = { customExportConditions: ['node', 'node-addons'] }
    const outcome = await jest('smoke.test.cjs', { testEnvironment: 'jsdom', testEnvironmentOptions })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })
})

describe('Vitest', () => {
  /** A test file run by Vitest; what it prints of the tests themselves is taken away. */
  function vitest(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const program = [project.bin('vitest'), 'run', '--globals', '--reporter', 'dot', ...args, 'tests/smoke.test.mjs']
    const prints = [/^ RUN .*$/m, /^·$/m, /^ Test Files {2}1 passed \(1\)$/m, /^ {6}Tests {2}1 passed \(1\)$/m]
    const times = [/^ {3}Start at .*$/m, /^ {3}Duration .*$/m]
    return runSmoke(process.execPath, program, { cwd: project.directory, env, prints: [...prints, ...times] })
  }

  it.each(['threads', 'forks', 'vmThreads', 'vmForks'])('gives the same bits, on WASM (%s)', async (pool) => {
    expect(await vitest(['--pool', pool])).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it('with jsdom gives the same bits, on WASM', async () => {
    expect(await vitest(['--environment', 'jsdom'])).toEqual({ exitCode: 0, output: '', report: expected })
  })
})
