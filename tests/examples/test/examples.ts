import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compile } from './compile'
import { type Program, programs } from './page'
import { python, pythonVariables } from './python'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const here = fileURLToPath(new URL('..', import.meta.url))
const extensions: Record<string, string> = { ts: 'ts', js: 'cjs', sh: 'sh', python: 'py' }

/** A program of a page, in a file of its own. */
export interface Example {
  language: string
  file: string
  needsPython: boolean
  /** What the TypeScript compiler says against it. */
  complaints: string[]
  /** What {@link run} must return. What a shell script prints depends on the machine. */
  expected: { stdout?: string; stderr: string }
}

/** Pages by path, and their examples by name. */
export type Pages = [page: string, examples: [name: string, example: Example][]][]

/** Writes the programs of pages into a new directory within this package, which finds the built packages; compiles them. */
export function prepare(paths: string[], languages: string[]): { directory: string; pages: Pages } {
  const directory = mkdtempSync(join(here, '.blocks-'))
  const pages: Pages = paths.map((page) => {
    const cwd = join(directory, page.replace(/\W+/g, '-'))
    mkdirSync(cwd)
    const shown = programs(join(root, page)).filter(({ language }) => languages.includes(language))
    return [
      page,
      shown.map((program, index) => [`program ${index + 1}, ${program.language},`, write(cwd, program, index + 1)]),
    ]
  })
  const all = pages.flatMap(([, examples]) => examples.map(([, example]) => example))
  const complaints = compile(all.filter(({ language }) => language === 'ts').map(({ file }) => file))
  for (const example of all) example.complaints = [...(complaints.get(example.file) ?? [])]
  return { directory, pages }
}

function write(cwd: string, { language, code, needsPython, prints }: Program, index: number): Example {
  const file = join(cwd, `program-${index}.${extensions[language]}`)
  writeFileSync(file, code)
  const stdout = language === 'sh' ? {} : { stdout: prints.map((line) => `${line}\n`).join('') }
  return { language, file, needsPython, complaints: [], expected: { ...stdout, stderr: '' } }
}

/** Runs an example in the directory of its page. */
export function run({ language, file }: Example): Promise<{ stdout: string; stderr: string }> {
  const commands: Record<string, [string, string[]]> = {
    ts: [process.execPath, [file.replace(/ts$/, 'js')]],
    js: [process.execPath, [file]],
    sh: ['sh', ['-e', file]],
    python: [python, [file]],
  }
  const path = `${join(here, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { ...process.env, ...pythonVariables, PATH: path }
  return promisify(execFile)(...commands[language], { cwd: dirname(file), env })
}
