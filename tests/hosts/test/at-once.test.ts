import { beforeAll, describe, expect, it } from 'vitest'
import { succeed } from '../../release/test/run'
import { nodeOf } from './host'
import { environment, Project } from './project'

const STARTS = 100

let project: Project
beforeAll(async () => {
  project = await Project.install()
  return () => project.remove()
})

describe('four threads that load the packages at once', () => {
  it.each([
    ...[20, 22, 24, 26].map((major) => [major, 'native'] as const),
    ...[22, 24, 26].map((major) => [major, 'relaxed-simd'] as const),
  ])(
    'have the same kernels and bits, a hundred times over, in Node %i with %s',
    { timeout: 300_000 },
    async (major, path) => {
      const env = { ...environment, ROWWISE_KERNELS: path, ROWWISE_THREADS: '2' }
      const options = { cwd: project.directory, env }
      const { stdout } = await succeed(await nodeOf(major), ['at-once.mjs', String(STARTS)], options)
      const found: Record<string, number> = JSON.parse(stdout)
      expect(Object.values(found)).toEqual([4 * STARTS])
      expect(JSON.parse(Object.keys(found)[0])).toMatchObject({ path })
    },
  )
})
