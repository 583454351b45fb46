import { isAbsolute, resolve, sep } from 'node:path'
import { UsageError } from '../exit'

/**
 * A path that a job names. A worker takes jobs from others, so there it may not lead out of ROWWISE_JOBS_ROOT; on one machine it is the
 * user's own, from ROWWISE_JOBS_HOME on.
 *
 * @throws {@link UsageError} when it leads out.
 */
export function pathOfJob(name: string, path: string): string {
  const root = process.env.ROWWISE_JOBS_ROOT
  if (!root) return resolve(process.env.ROWWISE_JOBS_HOME || '.', path)
  const found = resolve(root, path)
  if (!isAbsolute(path) && (found === root || found.startsWith(root.endsWith(sep) ? root : root + sep))) return found
  throw new UsageError(
    `${name} is ${path}, which leads out of the worker's directory; name it from there, and start the worker with --root`,
  )
}
