import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../release/test/run'
import { BEST_KERNELS, codes, inNode, nodeOf, type Report, runSmoke } from './host'
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

  it('20 takes simd by itself and says why, newer ones relaxed SIMD, all with the same bits', async () => {
    const reports = await Promise.all(
      [20, 22, 24, 26].map(async (major) => {
        const options = { cwd: project.directory, env: BEST_KERNELS }
        return (await runSmoke(await nodeOf(major), ['main.mjs'], options)).report as Report
      }),
    )
    const [old, ...newer] = reports
    expect(old.kernels).toMatchObject({ path: 'simd', notes: [expect.stringMatching(/no WebAssembly relaxed SIMD/)] })
    expect({ ...old, kernels: null, computedBy: null }).toEqual({ ...expected, kernels: null, computedBy: null })
    expect(newer[0].kernels).toMatchObject({ path: 'relaxed-simd', notes: [] })
    expect(newer).toEqual(Array(3).fill(newer[0]))
  })

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
