import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../release/test/run'
import { BEST_KERNELS, codes, inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { mayRead, PERMISSION_MODELS, WARNINGS } from './permission'
import { environment, Project } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project)).report
  return () => project.remove()
})

describe('plain Node', () => {
  it('starts WASM, learns, loads what it saved and resumes bit for bit', () => {
    expect(codes(expected)).toEqual(['cuda NOT_INSTALLED'])
    expect(expected).toMatchObject({ backend: 'wasm', loadsWhatItSaved: true, resumesBitForBit: true, resumedAt: 2 })
    expect(expected.kernels).toMatchObject({ path: 'simd', notes: [] })
    expect(expected.losses).toHaveLength(10)
    expect(expected.losses.every(Number.isFinite)).toBe(true)
    expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0])
  })

  it.each(
    [20, 22, 24, 26].flatMap((major) => [
      [major, 'an ES module', 'main.mjs'] as const,
      [major, 'CommonJS', 'main.cjs'] as const,
    ]),
  )('%i gives the same bits as %s, and prints nothing', async (major, _, file) => {
    const outcome = await runSmoke(await nodeOf(major), [file], { cwd: project.directory })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it('takes native code by itself, with the bits of relaxed SIMD, which Node 20 does not have', async () => {
    const reportOf = async (major: number, kernels: string) => {
      const options = { cwd: project.directory, env: { ROWWISE_KERNELS: kernels } }
      return (await runSmoke(await nodeOf(major), ['main.mjs'], options)).report as Report
    }
    const reports = await Promise.all([20, 22, 24, 26].map((major) => reportOf(major, 'auto')))
    expect(reports[0].kernels).toMatchObject({ path: 'native', notes: [] })
    expect(reports).toEqual(Array(4).fill(reports[0]))
    const relaxed = await Promise.all([22, 24, 26].map((major) => reportOf(major, 'relaxed-simd')))
    expect(relaxed[0].kernels).toMatchObject({ path: 'relaxed-simd' })
    expect(relaxed.map((report) => ({ ...report, kernels: null }))).toEqual(
      Array(3).fill({ ...reports[0], kernels: null }),
    )
  })

  it.each(PERMISSION_MODELS)(
    'native code is not loaded under the permission model of Node $major without --allow-addons, and the report says so',
    async ({ major, flag }) => {
      const directory = newDirectory()
      const allowed = [...mayRead(project, directory), `--allow-fs-write=${directory}`, '--allow-worker']
      const options = { cwd: project.directory, directory, env: BEST_KERNELS, prints: WARNINGS }
      const { exitCode, output, report } = await runSmoke(await nodeOf(major), [flag, ...allowed, 'main.mjs'], options)
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
      expect(report?.kernels.path).toMatch(/simd/)
      expect(report?.kernels.notes[0]).toMatch(/--allow-addons/)
    },
  )

  it('ends with 1 for an error that nobody caught, and shows nothing of TensorFlow.js', async () => {
    const program = `
      import { selectBackend } from '@rowwise/backend-select'
      await selectBackend()
      setTimeout(() => { throw new Error('of the program') })`
    const args = ['--input-type=module', '--eval', program]
    const { exitCode, stderr } = await run(process.execPath, args, { cwd: project.directory, env: environment })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/Error: of the program/)
    expect(stderr).not.toMatch(/tensorflow/)
  })
})
