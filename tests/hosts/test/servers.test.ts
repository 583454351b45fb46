import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { succeed } from '../../release/test/run'
import { inNode, newDirectory, outcomeOf, type Report, runSmoke } from './host'
import { environment, Project } from './project'

let project: Project
let expected: Report

beforeAll(async () => {
  project = await Project.install(['next@16.4.6', 'react@19.2.0', 'react-dom@19.2.0', 'vite@8.3.8'])
  expected = (await inNode(project)).report
  return () => project.remove()
})

describe('Next.js', () => {
  it('bundles a route that learns on WASM, and gives the same bits', async () => {
    const { directory } = project
    project.write('app/layout.js', 'export default ({ children }) => <html><body>{children}</body></html>\n')
    project.write(
      'app/smoke/route.js',
      `import { smoke } from '../../smoke.mjs'
      export const dynamic = 'force-dynamic'
      export const GET = () => smoke().then(() => new Response('done'), (error) => new Response(error.stack, { status: 500 }))`,
    )
    const next = project.bin('next')
    const built = await succeed(process.execPath, [next, 'build'], { cwd: directory, env: environment })
    expect(built.stdout + built.stderr).not.toMatch(/@rowwise|warn/i)

    const env = { ...environment, SMOKE_DIRECTORY: newDirectory() }
    const server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0'], {
      cwd: directory,
      env,
    })
    const printed = { exitCode: 0, stdout: '', stderr: '' }
    server.stdout.on('data', (chunk) => {
      printed.stdout += chunk
    })
    server.stderr.on('data', (chunk) => {
      printed.stderr += chunk
    })
    try {
      const address = await addressIn(printed)
      const answer = await fetch(new URL('smoke', address))
      expect([answer.status, await answer.text()]).toEqual([200, 'done'])
    } finally {
      server.kill()
      await once(server, 'close')
    }
    const prints = [/^▲ Next.js.*$/m, /^- (Local|Network):.*$/gm, /^✓ .*$/gm]
    expect(outcomeOf(printed, env.SMOKE_DIRECTORY, prints)).toEqual({ exitCode: 0, output: '', report: expected })
  })
})

describe('Vite on the server', () => {
  it('builds a program that gives the same bits, on WASM', async () => {
    const config = { logLevel: 'warn', build: { ssr: 'main.mjs', outDir: 'vite-out' } }
    project.write('vite.config.mjs', `export default ${JSON.stringify(config)}\n`)
    const options = { cwd: project.directory, env: environment }
    const { stdout, stderr } = await succeed(process.execPath, [project.bin('vite'), 'build'], options)
    expect(stdout + stderr).toBe('')
    const outcome = await runSmoke(process.execPath, [join('vite-out', 'main.mjs')], { cwd: project.directory })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })

  it('loads a module that gives the same bits, on WASM', async () => {
    project.write(
      'load.mjs',
      `import { createServer } from 'vite'
      const server = { middlewareMode: true, hmr: false, ws: false }
      const vite = await createServer({ configFile: false, server, appType: 'custom', logLevel: 'warn' })
      const { smoke } = await vite.ssrLoadModule('/smoke.mjs')
      await smoke()
      await vite.close()`,
    )
    const outcome = await runSmoke(process.execPath, ['load.mjs'], { cwd: project.directory })
    expect(outcome).toEqual({ exitCode: 0, output: '', report: expected })
  })
})

/** The address that a server prints once it listens. */
async function addressIn(printed: { stdout: string; stderr: string }): Promise<string> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const [, address] = /Local:\s+(http:\S+)/.exec(printed.stdout) ?? []
    if (address && /Ready/.test(printed.stdout)) return address
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the server does not start: ${printed.stdout}${printed.stderr}`)
}
