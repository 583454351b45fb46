import { execFile } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { program, runBench, storedReport } from './run-bench'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-bench-'))
const bench = (args: string[]) => runBench(args, { where: directory })

/** A program that prints one line, whatever it is asked. */
function programThatPrints(name: string, line: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\necho ${line}\n`)
  chmodSync(path, 0o755)
  return `./${name}`
}

const echo = programThatPrints('echo', 'hello')
const oldNode = programThatPrints('old-node', '18.20.4')
const sameNode = programThatPrints('same-node', process.versions.node)
writeFileSync(join(directory, 'file'), '')
mkdirSync(join(directory, 'folder'))

describe('--help', () => {
  it('shows the default command’s options and the other commands', async () => {
    const { exitCode, stdout } = await bench(['--help'])
    expect(exitCode).toBe(0)
    for (const word of ['--peers', '--node <path>', '--docs <directory>', 'compare', 'show', 'accuracy']) {
      expect(stdout).toContain(word)
    }
  })
})

describe('a mistake is one line before any work, and exit code 2:', () => {
  it.each([
    ['an unknown option', ['--speed'], /unknown option '--speed'/],
    ['an option near a known one', ['--pers'], /unknown option '--pers' \(Did you mean --peers\?\)/],
    [
      'a command near a known one',
      ['acuracy', '--seeds', '3'],
      /unknown command 'acuracy' \(Did you mean accuracy\?\)/,
    ],
    ['an option without its value', ['--html'], /option '--html <file>' argument missing/],
    ['an unknown backend', ['--backend', 'tpu'], /'--backend <names>'.*Expected all, or some of cuda, wasm, cpu/],
    [
      'a backend that does not run here',
      ['--backend', 'cuda'],
      /--backend cuda: nothing to measure\. .*Fix: npm install/,
    ],
    ['a batch of nothing', ['--batch', '0'], /Expected an integer from 1 to 100000/],
    ['an unknown growth', ['--grow', 'X'], /Expected some of T, N, H, layers/],
    ['an unknown sequence', ['--sequence', 'words'], /Allowed choices are rows, pixels, permuted/],
    ['a patience below 0', ['--patience', '-1'], /Expected a number of seconds, or 0/],
    ['a target over 1', ['accuracy', '--target', '97'], /between 0 and 1/],
    ['an old report that is not there', ['--compare', 'none.json'], /--compare 'none.json' cannot be read .*--save/],
    ['an old report that is not one', ['--compare', program], /--compare .* is not a report of this version .*--save/],
    ['a report to show that is not there', ['show', 'none.json'], /show 'none.json' cannot be read .*--save/],
    ['a Node that is not there', ['--node', 'none'], /--node 'none' is not a Node \(ENOENT\)/],
    ['a Node that is another program', ['--node', echo], /--node '.\/echo' is not a Node \(hello\)/],
    ['a Node that is too old', ['--node', oldNode], /--node '.\/old-node' is Node 18.20.4, expected 20.19 or later/],
    ['a Node that runs this already', ['--node', sameNode], /--node '.*same-node' is Node .*; leave one out/],
    ['a Node without the backend it is for', ['--node', sameNode, '--backend', 'cpu'], /--node is used with the wasm/],
    [
      'a Python that is not there',
      ['--peers', '--python', 'none'],
      /--python 'none' has no PyTorch \(ENOENT\).*pip install/,
    ],
    ['a Python that nothing uses', ['--python', 'none'], /--python is used with --peers or --program/],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await bench(args)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^rowwise-bench: [^\n]+\n$/)
    expect(stderr).not.toContain('error:')
  })
})

describe('an output that cannot be written is refused at once, with its option and the reason:', () => {
  it.each([
    ['an empty name', ['--html', ''], /--html got an empty name/],
    ['an empty directory', ['--docs', ''], /--docs got an empty name/],
    ['an option instead of a name', ['--save', '--json'], /--save got '--json', which looks like an option/],
    ['a directory', ['--html', 'folder'], /--html 'folder': .* is a directory/],
    ['a name that ends as a directory’s', ['--save', 'new/'], /--save 'new\/' is a directory/],
    ['a file in the way', ['--html', 'file/report.html'], /--html 'file\/report.html': .*a file is in the way/],
    ['a file instead of a directory', ['--docs', 'file'], /--docs 'file': .*a file is in the way/],
    ['a device', ['--save', '/dev/null'], /--save '\/dev\/null': .* is not a regular file/],
    [
      '/proc',
      ['--save', '/proc/report.json'],
      /--save '\/proc\/report.json': no file can be made in the directory \/proc/,
    ],
    [
      'a directory in /proc',
      ['--docs', '/proc/docs'],
      /--docs '\/proc\/docs': the directory \/proc\/docs cannot be made/,
    ],
    ['a name that is too long', ['--save', 'x'.repeat(255)], /the name is too long/],
    ['one name for two outputs', ['--save', 'one', '--html', './one'], /--save and --html both write .*one/],
    [
      'the page of --docs as another output',
      ['--html', 'd/benchmarks.md', '--docs', 'd'],
      /--html and --docs both write/,
    ],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await bench(['--seconds', '600', ...args])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^rowwise-bench: [^\n]+\n$/)
  })

  it('a working directory that is gone', async () => {
    const gone = mkdtempSync(join(directory, 'gone-'))
    const script = 'cd "$1" && rmdir "$1" && exec "$2" "$3" --save report.json'
    const run = promisify(execFile)('/bin/sh', ['-c', script, 'sh', gone, process.execPath, program])
    await expect(run).rejects.toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: 'rowwise-bench: the working directory is gone; change to one that exists\n',
    })
  })
})

describe('an output that can be written', () => {
  it('leaves nothing beside it', async () => {
    await bench(['show', storedReport, '--html', 'made/for/it/page.html'])
    expect(readdirSync(join(directory, 'made/for/it'))).toEqual(['page.html'])
  })

  it('replaces the file that a link names, and not the link', async () => {
    writeFileSync(join(directory, 'target.html'), 'old')
    symlinkSync('target.html', join(directory, 'link.html'))
    await bench(['show', storedReport, '--html', 'link.html'])
    expect(lstatSync(join(directory, 'link.html')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(directory, 'target.html'), 'utf8')).toContain('<!doctype html>')
  })
})

describe('a reader that goes away', () => {
  it('ends nothing with a stack trace', async () => {
    const { stderr } = await runBench(['show', storedReport], {
      where: directory,
      onStart: (child) => void child.stdout?.destroy(),
    })
    expect(stderr).toBe('')
  })
})
