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

/** The programs of a page in their order. A block of `text output` says what those above it print, each the same. */
export function programs(page: string): Program[] {
  const found: Program[] = []
  for (const { language, info, code } of blocks(page)) {
    const before = found.findLast((program) => program.language === language)
    if (language === 'text' && info === 'output') {
      for (const program of found) program.prints.push(...code.trimEnd().split('\n'))
    } else if (info === 'continued' && before) {
      before.code += code
      before.prints.push(...commented(code))
    } else {
      found.push({ language, code, prints: commented(code) })
    }
  }
  return found.filter(({ language }) => language !== 'text')
}
