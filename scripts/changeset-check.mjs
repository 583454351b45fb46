// Refuses a change to a published package that no changeset names. The change is everything that differs from the branch it
// will be merged into (ROWWISE_BASE, or origin/main), whether it is committed, staged or not tracked yet.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { getChangedPackagesSinceRef } from '@changesets/git'
import getChangesets from '@changesets/read'

const cwd = process.cwd()
const branch = process.env.ROWWISE_BASE || 'origin/main'
const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

/** Packages that change what is released, and the names in the changesets that came with them. */
async function changesSince(ref) {
  const changed = await getChangedPackagesSinceRef({ cwd, ref, changedFilePatterns: ['**', '!test/**'] })
  return {
    published: changed.filter(({ packageJson }) => !packageJson.private).map(({ packageJson }) => packageJson.name),
    inlined: changed
      .filter(({ dir }) => dir.startsWith(resolve('internal')))
      .map(({ packageJson }) => packageJson.name),
    changesets: await getChangesets(cwd, ref),
  }
}

/** Git compares with its index: in a copy of that every file counts as tracked, and the user's own stays as it is. */
async function withUntrackedFiles(compare) {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-index-'))
  try {
    copyFileSync(git('rev-parse', '--git-path', 'index'), join(directory, 'index'))
    process.env.GIT_INDEX_FILE = join(directory, 'index')
    git('add', '--intent-to-add', '--all')
    return await compare()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What is missing, one line each. */
function missing({ published, inlined, changesets }) {
  if (changesets.some(({ releases }) => releases.length === 0)) return [] // `changeset --empty`: nothing is to be released
  const named = new Set(changesets.flatMap(({ releases }) => releases.map(({ name }) => name)))
  const lines = published
    .filter((name) => !named.has(name))
    .map((name) => `${name} changed, and no new changeset names it`)
  if (inlined.length > 0 && named.size === 0) {
    lines.push(`${inlined.join(', ')} changed, and no new changeset names a package that takes it in`)
  }
  return lines
}

try {
  git('rev-parse', '--verify', '--quiet', `${branch}^{commit}`)
} catch {
  console.error(`changesets are not checked: there is no branch ${branch}; ROWWISE_BASE names another`)
  process.exit(0)
}
const lines = missing(await withUntrackedFiles(() => changesSince(branch)))
if (lines.length > 0) {
  console.error(lines.join('\n'))
  console.error(
    'Run `npm run changeset`, which leaves a file in .changeset/; `npm run changeset -- --empty` if no user sees the change',
  )
  process.exit(1)
}
