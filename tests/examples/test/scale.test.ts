import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, hasRedis } from '@rowwise/redis-server'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'

const scale = new URL('../../../docs/scale/', import.meta.url)
const text = (name: string) => readFileSync(new URL(name, scale), 'utf8')
const program = join(createRequire(import.meta.url).resolve('@rowwise/cli/package.json'), '..', 'dist', 'rowwise.js')

/** A sweep of seconds. */
const quick = {
  train: { samples: 640 },
  space: { lr: { choice: [0.001, 0.01] } },
  search: { type: 'grid' },
  epochs: 1,
}

const running: ChildProcess[] = []
afterEach(async () => {
  for (const child of running.splice(0).reverse()) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended
  }
})

/** Starts what a container would, as a process: `npx @rowwise/cli` is the program as it is built. */
function start(command: readonly string[], env: Record<string, string>, directory: string): ChildProcess {
  const own = command.join(' ').replace('npx --yes @rowwise/cli', `${process.execPath} ${program}`)
  const child = spawn('sh', ['-c', `exec ${own}`], {
    env: { ...process.env, ...env },
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  return child
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code).toBe(0)
  return output
}

function home(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-scale-'))
  writeFileSync(join(directory, 'sweep.json'), JSON.stringify(quick))
  return directory
}

describe('docs/scale/README.md', () => {
  it('has a sweep that runs', { timeout: 120_000 }, async () => {
    const directory = home()
    const [, json] = /```json\n([^`]*)```/.exec(text('README.md')) ?? []
    const { train, ...sweep } = JSON.parse(json)
    writeFileSync(
      join(directory, 'sweep.json'),
      JSON.stringify({ ...sweep, train: { ...train, samples: 640 }, epochs: 3 }),
    )
    const output = await outputOf(start(['npx --yes @rowwise/cli sweep sweep.json'], {}, directory))
    expect(output).toMatch(/^Done: 9 trials, /m)
  })
})

describe.skipIf(!hasRedis)('docs/scale', () => {
  it('compose.yaml: its services, as processes, run a sweep', { timeout: 120_000 }, async () => {
    const [{ services }] = parseAllDocuments(text('compose.yaml')).map((document) => document.toJS())
    const [directory, port] = [home(), await freePort()]
    const inPlace = (words: string) =>
      words
        .replace(/\$\{REDIS_PASSWORD[^}]*\}/g, 'secret')
        .replace('@redis:6379', `@127.0.0.1:${port}`)
        .replaceAll('/data', directory)
    const env = { ROWWISE_REDIS: inPlace(services.worker.environment.ROWWISE_REDIS) }
    start([`${inPlace(services.redis.command)} --port ${port} --bind 127.0.0.1 --dir ${directory}`], {}, directory)
    await new Promise((resolve) => setTimeout(resolve, 1000)) // compose starts a worker again until Redis is there
    start([inPlace(services.worker.command)], env, directory)
    const output = await outputOf(start([inPlace(services.sweep.command)], env, directory))
    expect(output).toMatch(/^Done: 2 trials, 2 epochs in .*; in sweep of Redis$/m)
  })

  it('kubernetes.yaml and slurm.sh: their commands run a sweep', { timeout: 120_000 }, async () => {
    const [deployment, job] = parseAllDocuments(text('kubernetes.yaml')).map((document) => document.toJS())
    const [directory, port] = [home(), await freePort()]
    const redis = `redis://127.0.0.1:${port}`
    start([`redis-server --appendonly yes --port ${port} --bind 127.0.0.1 --dir ${directory}`], {}, directory)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const [container] = deployment.spec.template.spec.containers
    const env = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value?: string }) => [name, value ?? redis]),
    )
    const inPlace = (command: string[]) => [
      command.join(' ').replace('/data', directory).replace('/sweep/', `${directory}/`),
    ]
    start(inPlace(container.command), env, directory)
    const [sweep] = job.spec.template.spec.containers
    expect(await outputOf(start(inPlace(sweep.command), env, directory))).toMatch(/^Done: 2 trials/m)

    // Slurm's srun starts the command on a node; here the node is this one.
    const bin = join(directory, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'srun'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift 2\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 })
    const script = join(directory, 'slurm.sh')
    writeFileSync(script, text('slurm.sh').replace('--idle 120', '--idle 1'))
    const shared = { ROWWISE_REDIS: redis, SHARED: directory, PATH: `${bin}:${process.env.PATH}` }
    expect(await outputOf(start([`bash ${script}`], shared, directory))).toContain('waiting for jobs')
  })
})
