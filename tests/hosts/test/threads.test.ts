import { beforeAll, describe, expect, it } from 'vitest'
import { inNode, newDirectory, nodeOf, type Report, runSmoke } from './host'
import { mayRead, PERMISSION_MODELS, WARNINGS } from './permission'
import { canPreload, preload } from './preload'
import { Project } from './project'

const THREADS = { ROWWISE_THREADS: '4' }

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install()
  expected = (await inNode(project, THREADS)).report
  return () => project.remove()
})

describe('threads that cannot start', () => {
  it.each(PERMISSION_MODELS)(
    'without --allow-worker in Node $major: one runs, and the report says why; the bits are the same',
    async ({ major, flag }) => {
      const directory = newDirectory()
      const args = [flag, ...mayRead(project, directory), `--allow-fs-write=${directory}`, 'main.mjs']
      const options = { cwd: project.directory, directory, env: THREADS, prints: WARNINGS }
      const { exitCode, output, report } = await runSmoke(await nodeOf(major), args, options)
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
      expect(report?.kernels).toMatchObject({ path: expected.kernels.path, threads: 1 })
      expect(report?.kernels.notes.join()).toMatch(/--allow-worker/)
      expect(report).toEqual({ ...expected, kernels: report?.kernels })
    },
  )

  it.skipIf(!canPreload).each([0, 1, 2])(
    'under a limit of processes that leaves %i workers: the report counts them',
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
