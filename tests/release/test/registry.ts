import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { cleanEnvironment, succeed } from './run'

/** A registry on a free port of 127.0.0.1: our packages are published to it, all others come from the registry that npm uses. */
export class Registry {
  private constructor(
    readonly url: string,
    /** What makes npm and pnpm use it, and nothing of the user's settings. */
    readonly environment: NodeJS.ProcessEnv,
    private readonly server: ChildProcess,
  ) {}

  static async start(directory: string): Promise<Registry> {
    const upstream = (await succeed('npm', ['config', 'get', 'registry'], { cwd: directory })).stdout.trim()
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/`
    const config = {
      storage: join(directory, 'storage'),
      uplinks: { upstream: { url: upstream, timeout: '60s' } },
      packages: { '@rowwise/*': { access: '$all', publish: '$all' }, '**': { access: '$all', proxy: 'upstream' } },
      max_body_size: '100mb',
      log: { type: 'stdout', format: 'pretty', level: 'error' },
    }
    writeFileSync(join(directory, 'verdaccio.json'), JSON.stringify(config))
    writeFileSync(
      join(directory, 'npmrc'),
      `registry=${url}\n//127.0.0.1:${port}/:_authToken=anyone\nupdate-notifier=false\nfund=false\n`,
    )
    const require = createRequire(import.meta.url)
    const program = join(dirname(require.resolve('verdaccio/package.json')), 'bin/verdaccio')
    const args = [program, '--config', join(directory, 'verdaccio.json'), '--listen', `127.0.0.1:${port}`]
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    for (let attempt = 0; !(await answers(url)); attempt++) {
      if (attempt > 300 || server.exitCode !== null) throw new Error(`the registry does not start: ${output}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const environment = {
      ...cleanEnvironment(),
      NPM_CONFIG_USERCONFIG: join(directory, 'npmrc'),
      NPM_CONFIG_CACHE: join(directory, 'npm-cache'),
      NPM_CONFIG_REGISTRY: url,
      TURBO_TELEMETRY_DISABLED: '1',
    }
    return new Registry(url, environment, server)
  }

  stop(): void {
    this.server.kill()
  }
}

function freePort(): Promise<number> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}-/ping`)).ok
  } catch {
    return false
  }
}
