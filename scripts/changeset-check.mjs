// Refuses a change to a package that comes without a changeset. The change is what differs from the branch it will be merged into:
// ROWWISE_BASE, or origin/main. On that branch itself there is nothing to check.
import { spawnSync } from 'node:child_process'

const git = (...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? ''

const base = git('merge-base', 'HEAD', process.env.ROWWISE_BASE || 'origin/main')
const isChanged = base !== '' && (base !== git('rev-parse', 'HEAD') || git('status', '--porcelain') !== '')
if (isChanged) {
  const { status, stdout, stderr } = spawnSync('pnpm', ['exec', 'changeset', 'status', `--since=${base}`], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    console.error(`${stdout}${stderr}`)
    console.error(
      'A package changed without a changeset. Run `npm run changeset` and commit the file that it leaves in .changeset/',
    )
    process.exit(1)
  }
}
