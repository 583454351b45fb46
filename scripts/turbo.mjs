// Runs turbo and counts what it does.
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './steps.mjs'

/**
 * Runs tasks of all packages, or of the one in a directory and what that needs. Tells each that has begun, by its number of all;
 * on failure shows the output of those that failed.
 */
export function turbo(tasks, { directory, tell }) {
  const packages = directory ? needed(directory) : all()
  const count = [...packages.values()].flatMap((scripts) => tasks.filter((task) => scripts[task])).length
  const filter = directory ? [`--filter=./${directory}`] : []
  let begun = 0
  return run('pnpm', ['exec', 'turbo', 'run', ...tasks, ...filter, '--output-logs=full', '--log-order=stream'], {
    onLine: (line) => {
      const [notice] = /no native kernels are built: .*/.exec(line) ?? []
      if (notice) tell(notice)
      const [, name, task, state] = /^(\S+):(\w+): cache (hit|miss|bypass)/.exec(line) ?? []
      if (!tasks.includes(task)) return
      begun += 1
      if (state !== 'hit') tell(`${begun} of ${count}, ${tasks.length > 1 ? `${task} of ` : ''}${name}`)
    },
    explain: (lines) => {
      const failed = lines.flatMap((line) => /^ *Failed: +(.*)$/.exec(line)?.[1].split(', ') ?? [])
      const prefixes = failed.map((name) => `${name.replace('#', ':')}: `)
      const shown = lines.filter((line) => prefixes.some((prefix) => line.startsWith(prefix)))
      return shown.length > 0 ? shown : lines
    },
  })
}

const manifest = (directory) => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))

/** The scripts of every package of the workspace, by its directory. */
function all() {
  const directories = ['packages', 'apps', 'internal', 'tests'].flatMap((parent) =>
    readdirSync(parent).map((name) => join(parent, name)),
  )
  return new Map(directories.map((directory) => [directory, manifest(directory).scripts ?? {}]))
}

/** Those of a package and of all in the workspace that it needs, directly or not. */
function needed(directory, found = new Map()) {
  const { scripts = {}, dependencies = {}, devDependencies = {} } = manifest(directory)
  found.set(realpathSync(directory), scripts)
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const path = join(directory, 'node_modules', name)
    if (version.startsWith('workspace:') && !found.has(realpathSync(path))) needed(path, found)
  }
  return found
}
