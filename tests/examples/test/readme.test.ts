import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const readmes = ['README.md', ...readdirSync(new URL('packages/', root)).map((name) => `packages/${name}/README.md`)]

/** The TypeScript blocks of a README; they are plain enough to run as JavaScript. */
function examples(readme: string): string[] {
  const text = readFileSync(new URL(readme, root), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
}

/** What an example says it prints: the comments behind its console.log lines. */
function expectedLines(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
}

describe.each(readmes)('%s', (readme) => {
  it('has an example that says what it prints', () => {
    expect(examples(readme).flatMap(expectedLines).length).toBeGreaterThan(0)
  })

  it.each(examples(readme).map((code, index) => [index + 1, code] as const))(
    'example %i prints what it says, with the packages as they are built',
    { timeout: 60_000 },
    async (_, code) => {
      const cwd = new URL('tests/examples/', root)
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
        cwd,
      })
      expect(stdout.trim().split('\n')).toEqual(expectedLines(code))
      expect(stderr).toBe('')
    },
  )
})
