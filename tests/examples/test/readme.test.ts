import { readdirSync, rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { prepare, run } from './examples'

const packages = readdirSync(new URL('../../../packages/', import.meta.url))
const { directory, pages } = prepare(['README.md', ...packages.map((name) => `packages/${name}/README.md`)], ['ts'])
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(pages)('%s', (_, examples) => {
  it('has an example that says what it prints', () => {
    expect(examples.map(([, { expected }]) => expected.stdout).join('')).not.toBe('')
  })

  it.each(examples)('%s compiles under strict', (_, { complaints }) => {
    expect(complaints).toEqual([])
  })

  it.each(examples)(
    '%s prints what it says, with the packages as they are built',
    { timeout: 60_000 },
    async (_, example) => {
      expect(await run(example)).toMatchObject(example.expected)
    },
  )
})
