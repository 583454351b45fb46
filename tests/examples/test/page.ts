import { readFileSync } from 'node:fs'

/** A fenced block of a page: its language, what else stands behind that, and its text. */
interface Block {
  language: string
  info: string
  code: string
}

/** A program that a page shows: one block, or the blocks that go on with it under the info word `continued`. */
export interface Program {
  language: string
  code: string
  /** Whether it is Python, or reads what a Python program above it wrote: `ts needs python`. */
  needsPython: boolean
  /** The lines that it says it prints: the comments behind its calls, and its blocks of `text output`. */
  prints: string[]
}

function blocks(page: string): Block[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^```(\w+)(.*)\n([\s\S]*?)^```$/gm)].map(([, language, info, code]) => ({
    language,
    info: info.trim(),
    code,
  }))
}

/** What the comments behind a program's calls say that it prints. */
const commented = (code: string) =>
  [...code.matchAll(/(?:console\.log|print)\(.*\) +(?:\/\/|#) (.*)$/gm)].map(([, text]) => text)

/** The TypeScript settings that a page shows. */
export function settings(page: string): object {
  const { code } = blocks(page).find(({ language }) => language === 'json') as Block
  return JSON.parse(code).compilerOptions
}

/**
 * The programs of a page in their order. A block of `text output` says what those above it print, each the same. What installs
 * packages is left out: `sh release` and `sh registry` are for the rehearsal of a release.
 */
export function programs(page: string): Program[] {
  const found: Program[] = []
  for (const { language, info, code } of blocks(page)) {
    if (language === 'json' || info === 'release' || info === 'registry') continue
    const before = found.findLast((program) => program.language === language)
    if (language === 'text' && info === 'output') {
      for (const program of found) program.prints.push(...code.trimEnd().split('\n'))
    } else if (info === 'continued' && before) {
      before.code += code
      before.prints.push(...commented(code))
    } else {
      const needsPython = language === 'python' || info === 'needs python'
      found.push({ language, code, needsPython, prints: commented(code) })
    }
  }
  return found.filter(({ language }) => language !== 'text')
}
