import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { DirectoryLock } from '../src'

const temporaryDirectory = () => mkdtempSync(join(tmpdir(), 'rowwise-lock-'))

async function held(directory: string): Promise<DirectoryLock> {
  const lock = await DirectoryLock.take(directory)
  if (!(lock instanceof DirectoryLock)) throw new Error(`held by ${lock.pid}`)
  return lock
}

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid

/** A lock as its owner left it. */
function leaveLock(directory: string, fields: object, secondsAgo = 0): void {
  const file = join(directory, 'lock-1.json')
  const owner = { pid: process.pid, host: hostname(), space: '', started: '', since: '', token: 'x', ...fields }
  writeFileSync(file, JSON.stringify(owner))
  const touched = Date.now() / 1000 - secondsAgo
  utimesSync(file, touched, touched)
}

const mine = async () => {
  const directory = temporaryDirectory()
  const lock = await held(directory)
  const owner = JSON.parse(readFileSync(join(directory, readdirSync(directory)[0]), 'utf8'))
  await lock.release()
  return owner
}

describe('DirectoryLock', () => {
  it('keeps a directory from a second taker, and says who holds it', async () => {
    const directory = temporaryDirectory()
    const lock = await held(directory)
    expect(await DirectoryLock.take(directory)).toMatchObject({ pid: process.pid, host: hostname() })
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
  })

  it('leaves nothing behind, and the directory to the next', async () => {
    const directory = temporaryDirectory()
    await (await held(directory)).release()
    expect(readdirSync(directory)).toEqual([])
    await (await held(directory)).release()
  })

  it('takes over from a process that died', async () => {
    const directory = temporaryDirectory()
    leaveLock(directory, { ...(await mine()), pid: deadPid() })
    const lock = await held(directory)
    expect(readdirSync(directory)).toEqual(['lock-2.json'])
    await lock.release()
  })

  it.runIf(process.platform === 'linux')('takes over when another process has the dead one’s id', async () => {
    const directory = temporaryDirectory()
    leaveLock(directory, { ...(await mine()), started: '1' })
    await (await held(directory)).release()
  })

  it('is kept by a program on another machine that shows that it lives, and not by a silent one', async () => {
    const directory = temporaryDirectory()
    leaveLock(directory, { host: 'elsewhere' }, 30)
    expect(await DirectoryLock.take(directory)).toMatchObject({ host: 'elsewhere' })
    leaveLock(directory, { host: 'elsewhere' }, 90)
    await (await held(directory)).release()
  })

  it.each(['', '{', '[]', 'null', '{"pid":"1"}', 'x'.repeat(5000)])('takes over an old lock of %j', async (content) => {
    const directory = temporaryDirectory()
    const file = join(directory, 'lock-7.json')
    writeFileSync(file, content)
    utimesSync(file, 1, 1)
    await (await held(directory)).release()
    expect(readdirSync(directory)).toEqual([])
  })

  it('tells its holder when another took it over', async () => {
    const directory = temporaryDirectory()
    const lock = await held(directory)
    leaveLock(directory, { token: 'another' })
    expect(await lock.isHeld()).toBe(false)
    await lock.release()
    expect(readdirSync(directory)).toEqual(['lock-1.json'])
  })

  it('is got by one of many processes that start at once over a dead one’s', { timeout: 60_000 }, async () => {
    const directory = temporaryDirectory()
    const program = join(temporaryDirectory(), 'take.mjs')
    const taker = `
      import { DirectoryLock } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).pathname)}
      const lock = await DirectoryLock.take(${JSON.stringify(directory)})
      console.log(lock instanceof DirectoryLock ? 'held' : 'refused')
      process.stdin.resume()`
    await build({
      stdin: { contents: taker, resolveDir: process.cwd(), loader: 'ts' },
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
    })
    leaveLock(directory, { ...(await mine()), pid: deadPid() })
    const takers = Array.from({ length: 8 }, () =>
      spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    const words = await Promise.all(takers.map(firstWord))
    for (const child of takers) child.kill('SIGKILL')
    expect(words.filter((word) => word === 'held')).toHaveLength(1)
  })
})

function firstWord(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()))
  })
}
