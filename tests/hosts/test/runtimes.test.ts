import { beforeAll, describe, expect, it } from 'vitest'
import { succeed } from '../../release/test/run'
import { BEST_KERNELS, codes, inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { environment, Project } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install(['bun@1.4.5', 'deno@2.9.6'])
  expected = (await inNode(project)).report
  return () => project.remove()
})

describe('Deno', () => {
  const deno = (file: string, directory: string, ...permissions: string[]) => {
    const args = ['run', '--quiet', '--no-prompt', ...permissions, file]
    return runSmoke(project.bin('deno'), args, { cwd: project.directory, directory })
  }

  it.each(['main.mjs', 'main.cjs'])('gives the same bits, on WASM (%s)', async (file) => {
    expect(await deno(file, newDirectory(), '--allow-all')).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it('needs to read, to write its own files, and the environment of the program', async () => {
    const directory = newDirectory()
    const ours = ['SMOKE_DIRECTORY', 'SMOKE_ROOT', 'SMOKE_PARSES', 'ROWWISE_KERNELS']
    const allowed = ['--allow-read', `--allow-write=${directory}`, `--allow-env=${ours}`]
    expect(await deno('main.mjs', directory, ...allowed)).toEqual({ exitCode: 0, output: '', report: expected })
  })
})

describe('native code', () => {
  it('has the bits of Node’s in Deno and in Bun', async () => {
    const { outcome } = await inNode(project, BEST_KERNELS)
    expect(outcome.report?.kernels).toMatchObject({ path: 'native', notes: [] })
    const options = { cwd: project.directory, env: BEST_KERNELS }
    expect(await runSmoke(project.bin('bun'), ['main.mjs'], options)).toEqual(outcome)
    const deno = ['run', '--quiet', '--no-prompt', '--allow-all', 'main.mjs']
    expect(await runSmoke(project.bin('deno'), deno, options)).toEqual(outcome)
  })

  it('is not asked for in Deno without its permission, and the report says how to allow it', async () => {
    const args = ['run', '--quiet', '--no-prompt', '--allow-read', '--allow-write', '--allow-env', 'main.mjs']
    const options = { cwd: project.directory, env: BEST_KERNELS }
    const { exitCode, output, report } = await runSmoke(project.bin('deno'), args, options)
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
    expect(report?.kernels).toMatchObject({
      path: 'relaxed-simd',
      notes: [expect.stringMatching(/Deno allows it by --allow-ffi/)],
    })
  })
})

describe('Bun', () => {
  it.each(['main.mjs', 'main.cjs'])('learns on WASM, and says that its arithmetic differs (%s)', async (file) => {
    const { exitCode, output, report } = await runSmoke(project.bin('bun'), [file], { cwd: project.directory })
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
    expect(codes(report)).toEqual(['cuda NOT_INSTALLED'])
    expect(report?.kernels).toMatchObject({ path: 'simd', threads: expected.kernels.threads })
    expect(report?.losses.map((loss) => loss.toFixed(4))).toEqual(expected.losses.map((loss) => loss.toFixed(4)))
    const { backend, loadsWhatItSaved, resumesBitForBit, resumedAt } = expected
    expect(report).toMatchObject({ backend, loadsWhatItSaved, resumesBitForBit, resumedAt })
  })

  it('refuses relaxed SIMD, whose arithmetic differs there, and says so', async () => {
    const env = { ROWWISE_KERNELS: 'relaxed-simd' }
    const { output } = await runSmoke(project.bin('bun'), ['main.mjs'], { cwd: project.directory, env })
    expect(output).toMatch(/JavaScriptCore/)
  })

  it('gives the bits of the simd kernels in Node', async () => {
    const inBun = await runSmoke(project.bin('bun'), ['main.mjs'], { cwd: project.directory })
    expect(inBun).toEqual((await inNode(project)).outcome)
  })

  it('says when it goes on with what Node began', async () => {
    const [cwd, checkpoints] = [project.directory, newDirectory()]
    const relaxed = { ...environment, ROWWISE_KERNELS: 'relaxed-simd' }
    await succeed(await nodeOf(24), ['go-on.mjs', checkpoints, '1'], { cwd, env: relaxed })
    const { stdout } = await succeed(project.bin('bun'), ['go-on.mjs', checkpoints, '2'], { cwd, env: environment })
    const { before, now } = JSON.parse(stdout)
    expect(before).toMatch(/with fused multiply-add/)
    expect(now).toMatch(/without fused multiply-add/)
  })
})
