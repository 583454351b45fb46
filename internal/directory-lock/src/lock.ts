import { DirectoryInUseError } from './error'
import { isAlive, type Owner, thisProcess } from './owner'

const fs = (): typeof import('node:fs/promises') => process.getBuiltinModule('node:fs').promises
const join = (...parts: string[]): string => process.getBuiltinModule('node:path').join(...parts)

/** A lock's number rises with every program that takes the directory over from a dead one. */
const NAME = /^lock-(\d{1,15})\.json$/

/** Ours have 300 bytes. */
const MAX_BYTES = 4096

/** A lock whose content is not there yet is being written; one that stays so was left by a death. */
const WRITING_MILLISECONDS = 10_000

const TOUCH_MILLISECONDS = 10_000
const ATTEMPTS = 20

/** The program that holds a directory. */
export interface Holder {
  pid: number
  host: string
  /** When it took the directory, ISO 8601. */
  since: string
  /** The lock's file. */
  file: string
}

/**
 * Keeps a directory to one program at a time, over any file system that can make a file exclusively. A lock of a process that died is
 * taken over; one of another machine, once it has not been touched for a minute.
 *
 * A lock is a file `lock-<n>.json`. Who finds only dead ones makes the file of the next number, which only one can do, and removes the
 * dead. Who then sees another living one beside his, made from an older view of the directory, withdraws.
 */
export class DirectoryLock {
  private readonly timer: NodeJS.Timeout

  private constructor(
    private readonly file: string,
    private readonly token: string,
  ) {
    // Node's own timer, which need not keep the process alive; jsdom has replaced the global one.
    this.timer = process.getBuiltinModule('node:timers').setInterval(() => {
      const now = new Date()
      fs()
        .utimes(file, now, now)
        .catch(() => {}) // the next check finds out
    }, TOUCH_MILLISECONDS)
    this.timer.unref()
  }

  /**
   * Takes a directory that exists.
   *
   * @returns the lock, or who holds the directory
   * @throws what the file system says.
   */
  static async take(directory: string): Promise<DirectoryLock | Holder> {
    for (let attempt = 1; ; attempt++) {
      const before = await locksIn(directory)
      const holder = before.find(({ alive }) => alive)
      if (holder) return holderOf(holder)
      const number = Math.max(0, ...before.map((lock) => lock.number)) + 1
      const file = join(directory, `lock-${number}.json`)
      const owner = thisProcess()
      if (!(await create(file, JSON.stringify(owner)))) continue // another was faster; see who
      const rival = (await locksIn(directory)).find((lock) => lock.alive && lock.number !== number)
      if (rival === undefined) {
        for (const dead of before) await fs().rm(dead.file, { force: true })
        return new DirectoryLock(file, owner.token)
      }
      await fs().rm(file, { force: true })
      if (attempt === ATTEMPTS) return holderOf(rival)
      await new Promise((resolve) => setTimeout(resolve, (process.pid % 50) + 10)) // two that withdrew should not meet again
    }
  }

  /**
   * As {@link DirectoryLock.take}, but refuses where another holds the directory.
   *
   * @throws {@link DirectoryInUseError}, and what the file system says.
   */
  static async require(directory: string): Promise<DirectoryLock> {
    const taken = await DirectoryLock.take(directory)
    if (taken instanceof DirectoryLock) return taken
    const { pid, host, since, file } = taken
    throw new DirectoryInUseError(
      `${directory} is in use by process ${pid} on ${host} since ${since}; wait for it or choose another directory ` +
        `(if that program is gone, it is free after a minute, or when you remove ${file})`,
    )
  }

  /** Whether the lock is still this program's; false when another took it for dead, as after a long suspension. */
  async isHeld(): Promise<boolean> {
    return (await contentOf(this.file))?.token === this.token
  }

  /** Gives the directory back. */
  async release(): Promise<void> {
    clearInterval(this.timer)
    if (await this.isHeld().catch(() => false)) await fs().rm(this.file, { force: true })
  }
}

interface FoundLock {
  file: string
  number: number
  alive: boolean
  owner: Owner | null
}

async function locksIn(directory: string): Promise<FoundLock[]> {
  const found: FoundLock[] = []
  for (const name of await fs().readdir(directory)) {
    const number = NAME.exec(name)?.[1]
    if (number === undefined) continue
    const file = join(directory, name)
    const touched = await fs()
      .lstat(file)
      .catch(() => null)
    if (touched === null) continue // released meanwhile
    const owner = await contentOf(file)
    const alive = owner ? isAlive(owner, touched.mtimeMs) : Date.now() - touched.mtimeMs < WRITING_MILLISECONDS
    found.push({ file, number: Number(number), alive, owner })
  }
  return found
}

function holderOf({ file, owner }: FoundLock): Holder {
  const { pid = 0, host = 'an unknown machine', since = 'just now' } = owner ?? {}
  return { pid, host, since, file }
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    await fs().writeFile(file, content, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    await fs()
      .rm(file, { force: true })
      .catch(() => {})
    throw error
  }
}

/** Null for what is not a lock's content, or not there. */
async function contentOf(file: string): Promise<Owner | null> {
  try {
    if ((await fs().lstat(file)).size > MAX_BYTES) return null
    const owner = JSON.parse(await fs().readFile(file, 'utf8')) as Partial<Owner> | null
    const { space = '', started = '', since = '', token = '', pid = 0, host } = owner ?? {}
    return Number.isSafeInteger(pid) && pid > 0 && typeof host === 'string'
      ? { pid, host, space, started, since, token }
      : null
  } catch {
    return null
  }
}
