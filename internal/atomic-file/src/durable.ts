import type { FileHandle } from 'node:fs/promises'

// No imports, so that a bundle for browsers, which never comes here, has none to resolve.
const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')

/** The file's own failures: what was written may be lost. */
const FAILURES: readonly unknown[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'ESTALE', 'ENXIO', 'EBADF']

/** Errors that say that a host or file system has no such call; the next way is tried. */
const REFUSALS: readonly unknown[] = [
  'ERR_ACCESS_DENIED', // Node's permission model
  'ERR_METHOD_NOT_IMPLEMENTED',
  'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  'EINVAL', // a file system without fsync: CIFS, FUSE, VirtualBox's shared folders
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'ENOTTY',
  'EPERM',
  'EACCES',
  undefined, // Yarn's Plug'n'Play throws a bare Error
]

/** Whether this host refused every fsync so far, so that files are opened with O_SYNC instead. */
let opensSynchronously = false

/**
 * Opens a file to write what must survive a power cut; {@link syncFile} then makes it durable.
 *
 * @param flags as `O_WRONLY | O_CREAT | O_EXCL`, numbers of `node:fs`' constants
 */
export function openForSaving(file: string, flags: number): Promise<FileHandle> {
  const { O_SYNC = 0 } = fs().constants
  return fs().promises.open(file, opensSynchronously ? flags | O_SYNC : flags)
}

/**
 * Makes a file's content durable by the first way that this host has: `FileHandle.sync` (not in Yarn's Plug'n'Play, nor in Node 26's
 * permission model), `fs.fsync` (in no permission model).
 *
 * @returns whether one of them worked; otherwise files opened by {@link openForSaving} from now on write through, and this one
 * should be written again
 * @throws the file's own failure, such as EIO or ENOSPC; never that a call is missing.
 */
export async function syncFile(handle: FileHandle): Promise<boolean> {
  if (opensSynchronously) return true
  if ((await succeeds(() => handle.sync())) || (await succeeds(() => syncDescriptor(handle.fd)))) return true
  opensSynchronously = fs().constants.O_SYNC !== undefined
  return !opensSynchronously
}

/** Makes the names in a directory durable, where its file system can; many cannot, and there is nothing else to be done then. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return // directories cannot be opened there; NTFS journals the rename
  let handle: FileHandle | undefined
  try {
    handle = await fs().promises.open(directory, 'r')
    const { fd } = handle
    if (!(await succeeds(() => (handle as FileHandle).sync()))) await succeeds(() => syncDescriptor(fd))
  } catch (error) {
    if (FAILURES.includes(codeOf(error))) throw error
  } finally {
    await handle?.close()
  }
}

async function succeeds(sync: () => Promise<void>): Promise<boolean> {
  try {
    await sync()
    return true
  } catch (error) {
    if (REFUSALS.includes(codeOf(error))) return false
    throw error
  }
}

function syncDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs().fsync(descriptor, (error) => (error ? reject(error) : resolve()))
  })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
