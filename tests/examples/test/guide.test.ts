import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const guide = new URL('../../../docs/guide/', import.meta.url)
const here = new URL('..', import.meta.url).pathname
const python = process.env.ROWWISE_PYTHON ?? '/usr/bin/python3'

const hasTorch = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** The code blocks of a page, in their order. */
function blocks(page: string): { language: string; code: string }[] {
  const text = readFileSync(new URL(page, guide), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code }))
}

/** What a block says that it prints: the comments behind its calls. */
function expectedLines(code: string): string[] {
  return [...code.matchAll(/(?:console\.log|print)\(.*\) +(?:\/\/|#) (.*)$/gm)].map(([, text]) => text)
}

const run = promisify(execFile)

describe.each(readdirSync(guide).sort())('docs/guide/%s', (page) => {
  let cwd: string
  beforeAll(() => {
    cwd = mkdtempSync(join(here, '.guide-')) // within this package, so that the blocks find what it has installed
  })
  afterAll(() => rmSync(cwd, { recursive: true }))
  const needsTorch = blocks(page).some(({ language }) => language === 'python')

  it.skipIf(needsTorch && !hasTorch).each(blocks(page).map((block, index) => [index + 1, block.language, block.code]))(
    'block %i, %s, does what it says',
    { timeout: 180_000 },
    async (index, language, code) => {
      const file = join(cwd, `block-${index}.${{ ts: 'mjs', sh: 'sh', python: 'py' }[language]}`)
      writeFileSync(file, code as string)
      const program = { ts: process.execPath, sh: 'sh', python }[language as 'ts']
      const env = { ...process.env, PATH: `${here}node_modules/.bin:${process.env.PATH}` }
      const { stdout, stderr } = await run(program, language === 'sh' ? ['-e', file] : [file], { cwd, env })
      if (language !== 'sh') expect(stdout.trim().split('\n')).toEqual(expectedLines(code as string))
      expect(stderr).toBe('')
    },
  )
})
