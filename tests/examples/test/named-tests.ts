import { readFileSync } from 'node:fs'

/** A test file that a page links, and the names of tests that it quotes behind the link. */
export interface NamedTests {
  path: string
  names: string[]
  /** The names that the file does not have. */
  missing: string[]
}

/** The tests that a part of a page names: `[file](path) "a name", "another"`. */
export function namedTests(text: string, page: URL): NamedTests[] {
  return [...text.matchAll(/\[[\w-]+\]\((\S+\.test\.ts)\)([^[]+)/g)].map(([, path, quoted]) => {
    const source = readFileSync(new URL(path, page), 'utf8')
    const names = [...quoted.matchAll(/"([^"]+)"/g)].map(([, name]) => name.replaceAll('\\|', '|'))
    return { path, names, missing: names.filter((name) => !source.includes(name)) }
  })
}
