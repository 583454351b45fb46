import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

type AtomicFile = typeof import('../src')

const { promises } = fs
const realOpen = promises.open
const realFsync = fs.fsync

/** What a host does with the fsync of files and of directories; calls are noted. */
interface Host {
  handleSync?: (isDirectory: boolean) => Error | null
  fsync?: (isDirectory: boolean) => Error | null
}

const synced: string[] = []
const opened: number[] = []

function onHost({ handleSync = () => null, fsync = () => null }: Host): void {
  const directories = new Set<number>()
  promises.open = async (...args: Parameters<typeof realOpen>) => {
    const handle: FileHandle = await realOpen(...args)
    const isDirectory = (await handle.stat()).isDirectory()
    if (isDirectory) directories.add(handle.fd)
    else opened.push(args[1] as number)
    handle.sync = async () => {
      const error = handleSync(isDirectory)
      if (error) throw error
      synced.push(isDirectory ? 'handle of a directory' : 'handle')
    }
    return handle
  }
  fs.fsync = ((descriptor: number, done: (error: Error | null) => void) => {
    const isDirectory = directories.has(descriptor)
    const error = fsync(isDirectory)
    if (!error) synced.push(isDirectory ? 'descriptor of a directory' : 'descriptor')
    done(error)
  }) as typeof fs.fsync
}

const refusal = (code?: string) => Object.assign(new Error(code ?? 'Method not implemented.'), code ? { code } : {})

let atomicFile: AtomicFile
let directory: string
let file: string
beforeEach(async () => {
  vi.resetModules() // what a host refused is remembered
  atomicFile = await import('../src')
  directory = fs.mkdtempSync(join(tmpdir(), 'rowwise-durable-'))
  file = join(directory, 'a')
  synced.length = 0
  opened.length = 0
})
afterEach(() => {
  promises.open = realOpen
  fs.fsync = realFsync
})

describe('writeFileAtomically', () => {
  it('syncs the file, then its directory, by their handles', async () => {
    onHost({})
    await atomicFile.writeFileAtomically(file, 'content')
    expect(synced).toEqual(['handle', 'handle of a directory'])
  })

  it('syncs by the descriptors where handles have no sync, as in Yarn’s Plug’n’Play', async () => {
    onHost({ handleSync: () => refusal() })
    await atomicFile.writeFileAtomically(file, 'content')
    expect(synced).toEqual(['descriptor', 'descriptor of a directory'])
  })

  it('writes through where no sync is allowed, as in Node 26’s permission model', async () => {
    onHost({ handleSync: () => refusal('ERR_ACCESS_DENIED'), fsync: () => refusal('ERR_ACCESS_DENIED') })
    await atomicFile.writeFileAtomically(file, 'content')
    await atomicFile.writeFileAtomically(join(directory, 'b'), 'more')
    expect([fs.readFileSync(file, 'utf8'), fs.readFileSync(join(directory, 'b'), 'utf8')]).toEqual(['content', 'more'])
    const { O_SYNC } = fs.constants
    expect(opened.map((flags) => (flags & O_SYNC) === O_SYNC)).toEqual([false, true, true])
  })

  it.each(['EINVAL', 'ENOTSUP', 'EPERM', 'ENOSYS', 'EACCES'])(
    'saves where the fsync of a directory gives %s',
    async (code) => {
      const ofDirectories = (isDirectory: boolean) => (isDirectory ? refusal(code) : null)
      onHost({ handleSync: ofDirectories, fsync: ofDirectories })
      await atomicFile.writeFileAtomically(file, 'content')
      expect(fs.readFileSync(file, 'utf8')).toBe('content')
      expect(synced).toEqual(['handle'])
    },
  )

  it.each(['EIO', 'ENOSPC', 'EDQUOT'])('fails when the file’s own fsync gives %s, and leaves nothing', async (code) => {
    onHost({ handleSync: (isDirectory) => (isDirectory ? null : refusal(code)) })
    await expect(atomicFile.writeFileAtomically(file, 'content')).rejects.toThrow(code)
    expect(fs.readdirSync(directory)).toEqual([])
  })
})

describe('checkCanSave', () => {
  it('makes the directory and leaves nothing in it', async () => {
    await atomicFile.checkCanSave(join(directory, 'x/y'))
    expect(fs.readdirSync(join(directory, 'x/y'))).toEqual([])
  })
})

describe('makeDirectory', () => {
  it('makes the directories that are missing, and lets one be that is there', async () => {
    await atomicFile.makeDirectory(join(directory, 'x/y/z'))
    await atomicFile.makeDirectory(join(directory, 'x/y/z'))
    expect(fs.statSync(join(directory, 'x/y/z')).isDirectory()).toBe(true)
  })

  it('fails when a file is in the way', async () => {
    fs.writeFileSync(file, '')
    for (const path of [file, join(file, 'x')]) {
      await expect(atomicFile.makeDirectory(path)).rejects.toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
    }
  })

  it.runIf(process.platform === 'linux')('fails at once where nothing can be made', async () => {
    await expect(atomicFile.makeDirectory('/proc/rowwise/x')).rejects.toThrow(/ENOENT|EACCES|EPERM/)
  })
})
