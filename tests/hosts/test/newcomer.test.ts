import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { programs, settings } from '../../examples/test/page'
import { run } from '../../release/test/run'
import { environment, Project } from './project'

const page = (name: string): string => fileURLToPath(new URL(`../../../docs/guide/${name}.md`, import.meta.url))
const shown = [...programs(page('2-your-own-data')), ...programs(page('7-a-model-of-your-own'))]
const names = [
  ...['a time series of a CSV file', 'a tag for each step', 'images in MNIST’s format', 'batches of one’s own'],
  ...['a classifier', 'a forecaster', 'a language model', 'fine-tuning', 'a class of one’s own'],
]

let project: Project
let complaints: string

beforeAll(async () => {
  project = await Project.install(['typescript@5.9.3', '@types/node@20.19.43'])
  project.write('tsconfig.json', {
    compilerOptions: { ...settings(page('0-install')), module: 'nodenext', moduleResolution: 'nodenext' },
    include: ['*.mts'],
  })
  shown.forEach(({ code }, place) => {
    project.write(`program-${place}.mts`, code)
  })
  complaints = (await run(process.execPath, [project.bin('typescript', 'tsc'), '-p', '.'], { cwd: project.directory }))
    .stdout
  return () => project.remove()
})

it('all of them are named', () => {
  expect(shown).toHaveLength(names.length)
})

describe('the programs of a newcomer, with the packages as npm gets them', () => {
  it('compile under strict', () => {
    expect(complaints).toBe('')
  })

  it.each(names.map((name, place) => [name, place] as const))('do what they say: %s', async (_, place) => {
    const { prints } = shown[place]
    const ended = await run(process.execPath, [`program-${place}.mjs`], { cwd: project.directory, env: environment })
    expect(ended).toEqual({ exitCode: 0, stderr: '', stdout: prints.map((line) => `${line}\n`).join('') })
    expect(prints.length).toBeGreaterThan(0)
  })
})
