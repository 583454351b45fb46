import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'

const script = new URL('changeset-check.mjs', import.meta.url).pathname
let repository: string

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(repository, path)), { recursive: true })
  writeFileSync(join(repository, path), typeof content === 'string' ? content : JSON.stringify(content))
}

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', ...args], {
    cwd: repository,
    encoding: 'utf8',
    stdio: 'pipe',
  })

function commit(): void {
  git('add', '--all')
  git('commit', '--quiet', '--message', 'A change')
}

function check(base = 'main') {
  const env = { ...process.env, ROWWISE_BASE: base }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: repository, env, encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

const changeset = (...names: string[]) => `---\n${names.map((name) => `'${name}': patch\n`).join('')}---\n\nA change.\n`

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'rowwise-changesets-'))
  git('init', '--quiet', '--initial-branch=main')
  write('package.json', { name: 'root', private: true })
  write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n  - internal/*\n')
  write('.changeset/before.md', changeset('alpha', 'beta'))
  for (const name of ['alpha', 'beta']) {
    write(`packages/${name}/package.json`, { name, version: '1.0.0' })
    write(`packages/${name}/src/index.ts`, '')
  }
  write('internal/gamma/package.json', { name: 'gamma', version: '0.0.0', private: true })
  commit()
  git('switch', '--quiet', '--create', 'my-change')
})

describe('the check for changesets', () => {
  it('accepts a branch without changes', () => {
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('names each changed package that comes without a changeset', () => {
    write('packages/alpha/src/index.ts', 'export {}')
    write('packages/beta/src/index.ts', 'export {}')
    const { status, output } = check()
    expect(status).toBe(1)
    expect(output).toContain('alpha changed, and no new changeset names it')
    expect(output).toContain('beta changed, and no new changeset names it')
    expect(output).toContain('npm run changeset')
  })

  it.each([
    ['not tracked yet', () => {}],
    ['staged', () => git('add', '--all')],
    ['committed', commit],
  ])('accepts a changed package with a changeset, both %s', (_, keep) => {
    write('packages/alpha/src/index.ts', 'export {}')
    write('.changeset/now.md', changeset('alpha'))
    keep()
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('sees a committed change whose changeset is not tracked yet', () => {
    write('packages/alpha/src/index.ts', 'export {}')
    commit()
    write('.changeset/now.md', changeset('alpha'))
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('sees a new file of a package that is not tracked yet', () => {
    write('packages/alpha/src/more.ts', '')
    expect(check().output).toContain('alpha changed')
  })

  it('accepts a changeset of before that was given another package', () => {
    write('packages/alpha/src/index.ts', 'export {}')
    write('.changeset/before.md', `${changeset('alpha', 'beta')}More.\n`)
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('refuses a changeset that names another package', () => {
    write('packages/alpha/src/index.ts', 'export {}')
    write('.changeset/now.md', changeset('beta'))
    expect(check()).toMatchObject({ status: 1, output: expect.stringContaining('alpha changed') })
  })

  it('wants no changeset for tests alone', () => {
    write('packages/alpha/test/index.test.ts', '')
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('wants one for what is inlined into packages, and takes that of any package', () => {
    write('internal/gamma/src/index.ts', '')
    expect(check()).toMatchObject({ status: 1, output: expect.stringContaining('gamma changed') })
    write('.changeset/now.md', changeset('beta'))
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('takes an empty changeset for a change that no user sees', () => {
    write('packages/alpha/src/index.ts', '// A comment')
    write('.changeset/now.md', changeset())
    expect(check()).toEqual({ status: 0, output: '' })
  })

  it('leaves the index of the repository as it was', () => {
    write('packages/alpha/src/more.ts', '')
    const before = readFileSync(join(repository, '.git/index'))
    check()
    expect(readFileSync(join(repository, '.git/index'))).toEqual(before)
    expect(git('status', '--porcelain')).toBe('?? packages/alpha/src/more.ts\n')
  })

  it('says so where there is nothing to compare with', () => {
    const { status, output } = check('upstream/main')
    expect(status).toBe(0)
    expect(output).toContain('there is no branch upstream/main')
  })
})
