import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives a test run a temporary directory of its own, which goes with it: data sets and built packages would fill the disk. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-tests-'))
  process.env.TMPDIR = directory // what os.tmpdir() reads in the processes that run the tests
  process.env.TEMP = directory // on Windows
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
}
