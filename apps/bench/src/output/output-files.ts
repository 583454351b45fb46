import { closeSync, mkdirSync, openSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../exit'

/** The options that name files to write. */
export interface OutputFlags {
  html?: string
  docs?: string
  save?: string
}

/** A file to write after a run. */
export interface OutputFile {
  /** The option that asks for it. */
  option: '--html' | '--docs' | '--save'
  /** Its value as the user wrote it. */
  given: string
  content: 'html' | 'docs page' | 'docs chart' | 'report'
  path: string
}

/**
 * Proves before a run that its outputs can be written after it: makes missing directories, and a file in each.
 *
 * @throws UsageError that names the option, the path and the reason
 */
export function prepareOutputs({ html, docs, save }: OutputFlags): OutputFile[] {
  const files: OutputFile[] = [
    ...(save === undefined ? [] : [fileOf('--save', 'report', save)]),
    ...(html === undefined ? [] : [fileOf('--html', 'html', html)]),
    ...(docs === undefined ? [] : filesIn(docs)),
  ]
  const prepared = files.map(prepare)
  for (const [index, { option, path }] of prepared.entries()) {
    const other = prepared.slice(0, index).find((file) => file.path === path)
    if (other) throw new UsageError(`${other.option} and ${option} both write ${path}; give them different names`)
  }
  return prepared
}

function fileOf(option: '--save' | '--html', content: OutputFile['content'], given: string): OutputFile {
  refuseName(option, given, 'file')
  return { option, given, content, path: given }
}

function filesIn(given: string): OutputFile[] {
  refuseName('--docs', given, 'directory')
  return [
    { option: '--docs', given, content: 'docs chart', path: join(given, 'bench/throughput.svg') },
    { option: '--docs', given, content: 'docs page', path: join(given, 'benchmarks.md') },
  ]
}

function prepare(output: OutputFile): OutputFile {
  const { option, given } = output
  const refuse = (why: string): never => {
    throw new UsageError(`${option} '${given}': ${why}; choose another ${option === '--docs' ? 'directory' : 'file'}`)
  }
  const file = resolve(output.path)
  const directory = dirname(file)
  attempt(
    () => makeDirectory(directory),
    (error) => refuse(`the directory ${error.path ?? directory} cannot be made: ${reasonOf(error)}`),
  )
  const target = attempt(
    () => existing(file, refuse),
    (error) => refuse(`${file} cannot be written: ${reasonOf(error)}`),
  )
  attempt(
    () => makeAndRemove(target),
    (error) => refuse(`no file can be made in the directory ${dirname(target)}: ${reasonOf(error)}`),
  )
  return { ...output, path: target }
}

/** Step by step: Node's own recursive `mkdir` never returns where a directory cannot hold others, as in /proc. */
function makeDirectory(directory: string): void {
  const isThere = (): boolean => statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (isThere()) return
  if (dirname(directory) !== directory) makeDirectory(dirname(directory))
  try {
    mkdirSync(directory)
  } catch (error) {
    if (!isThere()) throw error // another process may have made it meanwhile
  }
}

function refuseName(option: string, name: string, kind: 'file' | 'directory'): void {
  if (name.trim() === '') throw new UsageError(`${option} got an empty name; give a ${kind}`)
  if (name.startsWith('-')) {
    throw new UsageError(`${option} got '${name}', which looks like an option; give a ${kind}, or write ./${name}`)
  }
  if (kind === 'file' && /[/\\]$/.test(name)) throw new UsageError(`${option} '${name}' is a directory; give a file`)
}

/** The file itself where `file` is a link to one, so that the link stays. */
function existing(file: string, refuse: (why: string) => never): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return file
  if (!stats.isFile()) refuse(`${file} is ${stats.isDirectory() ? 'a directory' : 'not a regular file'}`)
  closeSync(openSync(file, 'r+'))
  return realpathSync(file)
}

/** Under as long a name as that of the file which is written first and then renamed. */
function makeAndRemove(file: string): void {
  const trial = `${file}.${process.pid}.${globalThis.crypto.randomUUID()}.tmp`
  closeSync(openSync(trial, 'wx'))
  rmSync(trial)
}

function attempt<T>(act: () => T, onFailure: (error: NodeJS.ErrnoException) => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof UsageError) throw error
    return onFailure(error as NodeJS.ErrnoException)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a file is in the way',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'it is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'it does not take files',
  ENAMETOOLONG: 'the name is too long',
}

/** The reason of a failed file operation in words, with its code. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words = REASONS[code]
  return words === undefined ? message.split('\n')[0] : `${words} (${code})`
}
