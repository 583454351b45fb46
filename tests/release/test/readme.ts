import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The first example of an installed package's README, and the command there that installs what it needs. */
export function readmeOf(directory: string): { install: string[]; example: string } {
  const text = readFileSync(join(directory, 'README.md'), 'utf8')
  const install = /^npm install (.*)$/m.exec(text)?.[1].split(' ')
  const example = /^```ts\n([\s\S]*?)^```$/m.exec(text)?.[1]
  if (!install || !example) throw new Error(`${directory}/README.md has no \`npm install\` line or no example`)
  return { install, example }
}

/** What an example says it prints. */
export function expectedOutput(example: string): string {
  return [...example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text).join('\n')
}

/** The same program for `require`. */
export function asCommonJs(example: string): string {
  const body = example
    .replace(/^import \* as (\w+) from (['"].*['"])$/gm, 'const $1 = require($2)')
    .replace(/^import (\{[^}]*\}) from (['"].*['"])$/gm, 'const $1 = require($2)')
    .replace(/^import (['"].*['"])$/gm, 'require($1)')
  return `(async () => {\n${body}})()\n`
}

/** The blocks of the guide's page about installing. */
export function installPage(root: string) {
  const text = readFileSync(join(root, 'docs/guide/0-install.md'), 'utf8')
  const blocks = (fence: string) =>
    [...text.matchAll(new RegExp(`^\`\`\`${fence}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code)
  const [fromClone, ...compile] = blocks('sh release')
  const [program] = blocks('ts')
  const [settings] = blocks('json')
  const [commonJs] = blocks('js')
  return {
    fromClone,
    compile: compile.join(''),
    fromRegistry: blocks('sh registry').join(''),
    program,
    settings,
    commonJs,
  }
}
