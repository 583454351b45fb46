import { constants } from 'node:os'
import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../release/test/run'
import { inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { canPreload, preload } from './preload'
import { environment, Project, YARN } from './project'

const NODES = [
  { major: 20, permission: '--experimental-permission' },
  { major: 22, permission: '--permission' },
  { major: 24, permission: '--permission' },
  { major: 26, permission: '--permission' },
]

/** What Node says of its permission model. */
const WARNS = [
  /^\(node:\d+\) ExperimentalWarning: Permission is an experimental feature.*$/m,
  /^\(node:\d+\) (\[\w+\] )?SecurityWarning: The flag --allow-worker must be used with extreme caution.*$/m,
  /^\(Use `node --trace-warnings .*$/m,
]

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project)).report
}, 180_000)

describe("Node's permission model", () => {
  it.each(NODES)('of Node $major: everything is saved, and resumed', { timeout: 120_000 }, async (node) => {
    const directory = newDirectory()
    const reads = [project.directory, directory].map((path) => `--allow-fs-read=${path}`)
    const args = [node.permission, ...reads, `--allow-fs-write=${directory}`, '--allow-worker', 'main.mjs']
    const outcome = await runSmoke(await nodeOf(node.major), args, { cwd: project.directory, directory, prints: WARNS })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it.each(NODES)(
    'of Node $major: where nothing may be written a run says so before its first step',
    {
      timeout: 120_000,
    },
    async ({ major, permission }) => {
      const directory = newDirectory()
      const args = [permission, `--allow-fs-read=${project.directory}`, `--allow-fs-read=${directory}`, '--no-warnings']
      const program = ['cannot-save.mjs', directory]
      const ended = await run(await nodeOf(major), [...args, ...program], { cwd: project.directory, env: environment })
      expect(ended).toEqual({
        exitCode: 0,
        stderr: '',
        stdout: `${JSON.stringify({ ended: 'CHECKPOINT_WRITE', steps: 0 })}\n`,
      })
    },
  )
})

describe("Yarn's Plug'n'Play", () => {
  let plugAndPlay: Project
  beforeAll(async () => {
    plugAndPlay = await Project.plugAndPlay()
  }, 180_000)

  it.each(['main.mjs', 'main.cjs'])('everything is saved, and resumed (%s)', { timeout: 120_000 }, async (file) => {
    const outcome = await runSmoke('npx', [...YARN, 'node', file], { cwd: plugAndPlay.directory })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })
})

describe.skipIf(!canPreload)('fsync', () => {
  const failing = (name: 'EINVAL' | 'ENOTSUP' | 'EPERM' | 'EIO', of: 'files' | 'directories') => ({
    ...preload('fsync-refused'),
    FSYNC_ERRNO: String(constants.errno[name]),
    FSYNC_OF: of,
  })

  it.each(['EINVAL', 'ENOTSUP', 'EPERM'] as const)(
    'refused for directories with %s: everything is saved, and resumed',
    {
      timeout: 60_000,
    },
    async (name) => {
      const { outcome } = await inNode(project, failing(name, 'directories'))
      expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
    },
  )

  it.each(['EINVAL', 'ENOTSUP', 'EPERM'] as const)(
    'refused for files with %s: everything is saved, and resumed',
    {
      timeout: 60_000,
    },
    async (name) => {
      const { outcome } = await inNode(project, failing(name, 'files'))
      expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
    },
  )

  it.each(['files', 'directories'] as const)(
    'fails for %s with EIO: that is an error',
    { timeout: 60_000 },
    async (of) => {
      const args = ['cannot-save.mjs', newDirectory()]
      const env = { ...environment, ...failing('EIO', of) }
      const { stdout } = await run(process.execPath, args, { cwd: project.directory, env })
      expect(JSON.parse(stdout)).toMatchObject({ ended: 'CHECKPOINT_WRITE' })
    },
  )
})
