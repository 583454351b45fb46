import { beforeAll, describe, expect, it } from 'vitest'
import { inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { canPreload, preload } from './preload'
import { Project } from './project'

const THREADS = { ROWWISE_THREADS: '4' }

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project, THREADS)).report
}, 180_000)

describe('threads that cannot start', () => {
  it.each([
    { major: 20, permission: '--experimental-permission' },
    { major: 22, permission: '--permission' },
    { major: 24, permission: '--permission' },
    { major: 26, permission: '--permission' },
  ])(
    'without --allow-worker in Node $major: one runs, and the report says why; the bits are the same',
    {
      timeout: 120_000,
    },
    async ({ major, permission }) => {
      const directory = newDirectory()
      const reads = [project.directory, directory].map((path) => `--allow-fs-read=${path}`)
      const { exitCode, output, report } = await runSmoke(
        await nodeOf(major),
        [permission, ...reads, `--allow-fs-write=${directory}`, 'main.mjs'],
        { cwd: project.directory, directory, env: THREADS, prints: WARNS },
      )
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
      expect(report?.kernels).toMatchObject({ path: expected.kernels.path, threads: 1 })
      expect(report?.kernels.notes.join()).toMatch(/--allow-worker/)
      expect(report).toEqual({ ...expected, kernels: report?.kernels })
    },
  )

  it.skipIf(!canPreload).each([0, 1, 2])(
    'under a limit of processes that leaves %i workers: the report counts them',
    {
      timeout: 60_000,
    },
    async (workers) => {
      const env = { ...THREADS, ...preload('few-threads'), WORKERS: String(workers) }
      const { outcome, report } = await inNode(project, env)
      expect(outcome).toMatchObject({ exitCode: 0, output: '' })
      expect(report.kernels).toMatchObject({ path: expected.kernels.path, threads: workers + 1 })
      expect(report.kernels.notes.join()).toMatch(/EAGAIN/)
      expect(report.kernels.notes.join()).not.toMatch(/undefined/)
      expect(report).toEqual({ ...expected, kernels: report.kernels })
    },
  )
})

/** What Node says of its permission model. */
const WARNS = [
  /^\(node:\d+\) ExperimentalWarning: Permission is an experimental feature.*$/m,
  /^\(Use `node --trace-warnings .*$/m,
]
