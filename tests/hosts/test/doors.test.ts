import { copyFileSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../release/test/run'
import { REQUIRE } from './bundlers'
import { nodeOf } from './host'
import { asCommonJs, environment, Project } from './project'

const EXPECTED = { onnx: true, keras: true, fused: 1, original: 0 }
const fixture = new URL('fixtures/doors.mjs', import.meta.url)

let project: Project

beforeAll(async () => {
  const peers = ['@tensorflow/tfjs-layers@4.22.0', '@tensorflow/tfjs-backend-cpu@4.22.0']
  project = await Project.install([...peers, 'bun@1.4.5', 'deno@2.9.6', 'esbuild@0.25.12'])
  copyFileSync(fixture, project.path('doors.mjs'))
  project.write('doors.cjs', asCommonJs(readFileSync(fixture, 'utf8')))
  return () => project.remove()
})

/** The last line that a program prints: TensorFlow.js greets Node on its cpu backend. */
async function lastLine(command: string, args: string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await run(command, args, { cwd: project.directory, env: environment })
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout.trim().split('\n').at(-1) as string)
}

describe.each(['doors.mjs', 'doors.cjs'])('tf.layers, ONNX and Keras, %s', (file) => {
  it.each([20, 24, 26])('open in Node %i', async (version) => {
    expect(await lastLine(await nodeOf(version), [file])).toEqual(EXPECTED)
  })

  it('open in Bun', async () => {
    expect(await lastLine(project.bin('bun'), [file])).toEqual(EXPECTED)
  })

  it('open in Deno', async () => {
    const args = ['run', '--quiet', '--no-prompt', '--allow-all', file]
    expect(await lastLine(project.bin('deno'), args)).toEqual(EXPECTED)
  })

  it('open in a bundle', async () => {
    const out = `bundle-${file}`
    const format = file.endsWith('.cjs') ? 'cjs' : 'esm'
    const args = [file, '--bundle', '--platform=node', `--format=${format}`, `--outfile=${out}`, '--log-level=error']
    const banner = format === 'esm' ? [`--banner:js=${REQUIRE}`] : []
    await run(project.bin('esbuild'), [...args, ...banner], { cwd: project.directory, env: environment })
    expect(await lastLine(process.execPath, [out])).toEqual(EXPECTED)
  })
})
