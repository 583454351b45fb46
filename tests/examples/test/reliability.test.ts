import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { namedTests } from './named-tests'

const page = new URL('../../../docs/reliability.md', import.meta.url)

const FAULTS = [
  ...['IDX-1', 'IDX-2', 'IDX-3', 'IDX-4', 'GZ-1', 'NET-1', 'NET-2', 'NET-3', 'NET-4', 'FS-1', 'FS-2', 'FS-3'],
  ...['CK-1', 'CK-2', 'CK-3', 'CK-4', 'CK-5', 'ST-1', 'ST-2', 'ST-3', 'TR-1', 'TR-2', 'TR-3'],
  ...['BE-1', 'BE-2', 'BE-3', 'PK-1'],
  ...['HOST-1', 'HOST-2', 'HOST-3', 'HOST-4', 'HOST-5', 'HOST-6', 'HOST-7', 'OUT-1', 'SIG-1'],
  ...['SW-1', 'SW-2', 'SW-3', 'SW-4', 'SW-5', 'SW-6', 'SW-7', 'SW-8'],
  ...['WT-1', 'WT-2', 'WT-3', 'PNG-1', 'CLI-1', 'API-1'],
]

const rows = new Map(
  [...readFileSync(page, 'utf8').matchAll(/^\| ([A-Z]+-\d) .*\| ([^|]+) \|$/gm)].map(([, id, tests]) => [id, tests]),
)

describe('docs/reliability.md', () => {
  it('has a row for every fault', () => {
    expect([...rows.keys()].sort()).toEqual([...FAULTS].sort())
  })

  it.each([...rows])('names tests of %s that exist', (_, tests) => {
    const named = namedTests(tests, page)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(({ names }) => names.length === 0)).toEqual([])
    expect(named.flatMap(({ missing }) => missing)).toEqual([])
  })
})
