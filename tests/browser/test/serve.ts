import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

/** A file server on a free port of 127.0.0.1: `/mnist/` is the real MNIST, everything else lies in `root`. */
export class FileServer {
  readonly requests: string[] = []

  private constructor(private readonly server: Server) {}

  static async start(root: string, mnist: string, isIsolated: boolean): Promise<FileServer> {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
      files.requests.push(path)
      const file = path.startsWith('/mnist/')
        ? join(mnist, path.slice(7))
        : join(root, path === '/' ? 'index.html' : path)
      if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end()
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-length': statSync(file).size,
        ...(isIsolated ? ISOLATION : {}),
      })
      createReadStream(file).pipe(response)
    })
    const files = new FileServer(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return files
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
