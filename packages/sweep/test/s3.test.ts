import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@rowwise/redis-server'
import { s3Files } from '@rowwise/sweep/redis'
import { S3mini } from 's3mini'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const python = process.env.ROWWISE_S3_PYTHON || process.env.ROWWISE_PYTHON || 'python3'

/** Whether there is a Python with moto, which speaks S3's protocol. */
const hasMoto = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import moto.server'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const place = () => mkdtempSync(join(tmpdir(), 'rowwise-s3-'))
const keys = { accessKeyId: 'key', secretAccessKey: 'secret', region: 'eu-central-1' }

describe.skipIf(!hasMoto)('s3Files', () => {
  let server: ChildProcess
  let endpoint: string

  beforeAll(async () => {
    const port = await freePort()
    const start = `from moto.server import main; main(["-H", "127.0.0.1", "-p", "${port}"])`
    server = spawn(python, ['-c', start], { stdio: 'ignore' })
    endpoint = `http://127.0.0.1:${port}/bucket`
    const client = new S3mini({ endpoint, ...keys })
    while (!(await client.createBucket().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 200))
  }, 60_000)

  afterAll(() => void server?.kill())

  it('keeps what a job left until it is forgotten', async () => {
    const files = await s3Files({ endpoint, ...keys })
    const [from, to] = [place(), place()]
    writeFileSync(join(from, 'weights'), Uint8Array.of(0, 255, 7))
    await files.save('set', '3@9', from)
    expect(await files.restore('set', '3@9', to)).toBe(true)
    expect([...readFileSync(join(to, 'weights'))]).toEqual([0, 255, 7])
    await files.discard('set', '3@9')
    expect(await files.restore('set', '3@9', place())).toBe(false)
  })

  it('writes nothing outside of a job’s directory, whatever is listed', async () => {
    const files = await s3Files({ endpoint, ...keys })
    const client = new S3mini({ endpoint, ...keys })
    await client.putObject('set/bad/index.json', JSON.stringify(['../escaped']))
    await expect(files.restore('set', 'bad', place())).rejects.toMatchObject({ code: 'JOB_REFUSED' })
  })

  it('says what the storage refuses', async () => {
    const files = await s3Files({ endpoint: endpoint.replace('bucket', 'nowhere'), ...keys })
    const from = place()
    writeFileSync(join(from, 'weights'), 'x')
    await expect(files.save('set', '3@9', from)).rejects.toMatchObject({ code: 'SWEEP_STORE' })
  })
})
