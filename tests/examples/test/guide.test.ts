import { readdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepare, run } from './examples'
import { hasTorch, placeMnist } from './python'

const names = readdirSync(new URL('../../../docs/guide/', import.meta.url)).sort()
const { directory, pages } = prepare(
  names.map((name) => `docs/guide/${name}`),
  ['ts', 'js', 'sh', 'python'],
)
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(pages)('%s', (_, examples) => {
  const typescript = examples.filter(([, { language }]) => language === 'ts')
  it.each(typescript)('%s compiles under strict', (_, { complaints }) => {
    expect(complaints).toEqual([])
  })

  beforeAll(() => placeMnist(dirname(examples[0][1].file)))

  // In their order: a later program reads what an earlier one wrote.
  for (const [name, example] of examples) {
    it.skipIf(example.needsPython && !hasTorch)(`${name} prints what it says`, { timeout: 180_000 }, async () => {
      expect(await run(example)).toMatchObject(example.expected)
    })
  }
})
