import type { Project } from './project'

/** Versions of Node, each with the flag of its permission model. */
export const PERMISSION_MODELS = [
  { major: 20, flag: '--experimental-permission' },
  { major: 22, flag: '--permission' },
  { major: 24, flag: '--permission' },
  { major: 26, flag: '--permission' },
]

/** What Node itself says of it. */
export const WARNINGS = [
  /^\(node:\d+\) ExperimentalWarning: Permission is an experimental feature.*$/m,
  /^\(node:\d+\) (\[\w+\] )?SecurityWarning: The flag --allow-worker must be used with extreme caution.*$/m,
  /^\(Use `node --trace-warnings .*$/m,
]

/** Allows to read a project and a directory, and no more. */
export function mayRead(project: Project, directory: string): string[] {
  return [project.directory, directory].map((path) => `--allow-fs-read=${path}`)
}
