import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { removeStaleTemporaries, writeFileAtomically, writeFilesAtomically } from '../src'

const directory = () => mkdtempSync(join(tmpdir(), 'rowwise-atomic-'))
const uuid = '01234567-89ab-cdef-0123-456789abcdef'

describe('writeFileAtomically', () => {
  it('makes and replaces a file and leaves nothing else', async () => {
    const at = directory()
    await writeFileAtomically(join(at, 'a'), 'one')
    await writeFileAtomically(join(at, 'a'), new Uint8Array([50]))
    expect([readdirSync(at), readFileSync(join(at, 'a'), 'utf8')]).toEqual([['a'], '2'])
  })

  it('leaves no temporary file when the name is taken by a directory', async () => {
    const at = directory()
    mkdirSync(join(at, 'a/b'), { recursive: true })
    await expect(writeFileAtomically(join(at, 'a'), 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
    expect(readdirSync(at)).toEqual(['a'])
  })
})

describe('writeFilesAtomically', () => {
  it('leaves the files after one that fails as they were', async () => {
    const at = directory()
    mkdirSync(join(at, 'b'))
    writeFileSync(join(at, 'c'), 'old')
    await expect(writeFilesAtomically(at, { a: 'new', b: 'new', c: 'new' })).rejects.toThrow()
    expect([readFileSync(join(at, 'a'), 'utf8'), readFileSync(join(at, 'c'), 'utf8')]).toEqual(['new', 'old'])
  })
})

describe('removeStaleTemporaries', () => {
  it('removes those of dead processes and old ones, and no one else’s', async () => {
    const at = directory()
    const { pid: dead } = spawnSync(process.execPath, ['-e', ''])
    const [stale, living, other, old] = [
      `a.${dead}.${uuid}.tmp`,
      `a.${process.pid}.${uuid}.tmp`,
      `z.${dead}.${uuid}.tmp`,
      `a.${process.pid}.${uuid.replace('0', '1')}.tmp`,
    ]
    for (const name of [stale, living, other, old, 'a.tmp']) writeFileSync(join(at, name), '')
    utimesSync(join(at, old), 1, 1)
    await removeStaleTemporaries(at, (name) => name === 'a')
    expect([stale, living, other, old, 'a.tmp'].map((name) => existsSync(join(at, name)))).toEqual([
      false,
      true,
      true,
      false,
      true,
    ])
  })
})
