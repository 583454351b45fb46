import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { namedTests } from './named-tests'

const page = new URL('../../../docs/parity.md', import.meta.url)
const rows = [...readFileSync(page, 'utf8').matchAll(/^\| (.+?) +\| .*\| (\[.*) \|$/gm)].map(([, what, tests]) => ({
  what,
  tests: namedTests(tests, page),
}))

describe('docs/parity.md', () => {
  it('has a row for each thing that is compared', () => {
    expect(rows).toHaveLength(25)
  })

  it.each(rows)('names tests of $what that exist', ({ tests }) => {
    expect(tests.flatMap(({ names }) => names).length).toBeGreaterThan(0)
    expect(tests.flatMap(({ missing }) => missing)).toEqual([])
  })
})
