import { constants } from 'node:os'
import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../release/test/run'
import { inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { mayRead, PERMISSION_MODELS, WARNINGS } from './permission'
import { canPreload, preload } from './preload'
import { environment, Project, YARN } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project)).report
  return () => project.remove()
})

describe("Node's permission model", () => {
  it.each(PERMISSION_MODELS)('of Node $major: everything is saved, and resumed', async ({ major, flag }) => {
    const directory = newDirectory()
    const allowed = [...mayRead(project, directory), `--allow-fs-write=${directory}`, '--allow-worker']
    const options = { cwd: project.directory, directory, prints: WARNINGS }
    const outcome = await runSmoke(await nodeOf(major), [flag, ...allowed, 'main.mjs'], options)
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it.each(PERMISSION_MODELS)(
    'of Node $major: where nothing may be written a run says so before its first step',
    async ({ major, flag }) => {
      const directory = newDirectory()
      const args = ['--no-warnings', flag, ...mayRead(project, directory), 'cannot-save.mjs', directory]
      const ended = await run(await nodeOf(major), args, { cwd: project.directory, env: environment })
      const stdout = `${JSON.stringify({ ended: 'CHECKPOINT_WRITE', steps: 0 })}\n`
      expect(ended).toEqual({ exitCode: 0, stderr: '', stdout })
    },
  )
})

describe("Yarn's Plug'n'Play", () => {
  let plugAndPlay: Project
  beforeAll(async () => {
    plugAndPlay = await Project.plugAndPlay()
    return () => plugAndPlay.remove()
  })

  it.each(['main.mjs', 'main.cjs'])('everything is saved, and resumed (%s)', async (file) => {
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
    async (name) => {
      const { outcome } = await inNode(project, failing(name, 'directories'))
      expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
    },
  )

  it.each(['EINVAL', 'ENOTSUP', 'EPERM'] as const)(
    'refused for files with %s: everything is saved, and resumed',
    async (name) => {
      const { outcome } = await inNode(project, failing(name, 'files'))
      expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
    },
  )

  it.each(['files', 'directories'] as const)('fails for %s with EIO: that is an error', async (of) => {
    const args = ['cannot-save.mjs', newDirectory()]
    const env = { ...environment, ...failing('EIO', of) }
    const { stdout } = await run(process.execPath, args, { cwd: project.directory, env })
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'CHECKPOINT_WRITE' })
  })
})
