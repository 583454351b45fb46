import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { prepare, python, run } from './examples'

const hasTorch = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const names = readdirSync(new URL('../../../docs/guide/', import.meta.url)).sort()
const { directory, pages } = prepare(
  names.map((name) => `docs/guide/${name}`),
  ['ts', 'sh', 'python'],
)
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(pages)('%s', (_, examples) => {
  const typescript = examples.filter(([, { language }]) => language === 'ts')
  it.each(typescript)('%s compiles under strict', (_, { complaints }) => {
    expect(complaints).toEqual([])
  })

  // In their order: a later program reads what an earlier one wrote.
  const needsTorch = examples.some(([, { language }]) => language === 'python')
  it.skipIf(needsTorch && !hasTorch).each(examples)(
    '%s prints what it says',
    { timeout: 180_000 },
    async (_, example) => {
      expect(await run(example)).toMatchObject(example.expected)
    },
  )
})
