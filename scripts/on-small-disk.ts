import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'rowwise-disk-'))

/** Mounting needs a name space of its own: root's, or an unprivileged one where the system allows it. */
const unshare = process.getuid?.() === 0 ? ['-m'] : ['-rm']

/** Whether no small disk can be made here; the tests that need one are then skipped, and the report counts them. */
export const smallDiskMissing = ((): boolean => {
  try {
    execFileSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'tmpfs', temporaryDirectory()], { stdio: 'ignore' })
    return false
  } catch {
    return true
  }
})()

/** Runs a shell script with a file system of so many bytes at `$DISK`, which is gone when it ends. */
export function onSmallDisk(size: string, script: string): Promise<{ stdout: string; stderr: string }> {
  const disk = temporaryDirectory()
  const mounted = `mount -t tmpfs -o size=${size} tmpfs "$DISK" && { ${script}\n}`
  const child = spawn('unshare', [...unshare, 'sh', '-c', mounted], { env: { ...process.env, DISK: disk } })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      output[stream] += chunk
    })
  }
  return new Promise((resolve) => {
    child.on('close', () => resolve(output))
  })
}
