import { beforeAll, describe, expect, it } from 'vitest'
import { codes, inNode, nodeOf, type Report, runSmoke } from './host'
import { Project } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project)).report
}, 180_000)

describe('plain Node', () => {
  it('starts WASM, learns, loads what it saved and resumes bit for bit', () => {
    expect(codes(expected)).toEqual(['cuda NOT_INSTALLED'])
    expect(expected).toMatchObject({ backend: 'wasm', loadsWhatItSaved: true, resumesBitForBit: true, resumedAt: 2 })
    expect(expected.kernels).toMatchObject({ path: 'relaxed-simd', notes: [] })
    expect(expected.losses).toHaveLength(10)
    expect(expected.losses.every(Number.isFinite)).toBe(true)
    expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0])
  })

  it.each(
    [20, 22, 24, 26].flatMap((major) => [
      { major, module: 'an ES module', file: 'main.mjs' },
      { major, module: 'CommonJS', file: 'main.cjs' },
    ]),
  )('$major gives the same bits as $module, and prints nothing', { timeout: 120_000 }, async ({ major, file }) => {
    const outcome = await runSmoke(await nodeOf(major), [file], { cwd: project.directory })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })
})
