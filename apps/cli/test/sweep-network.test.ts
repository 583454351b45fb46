import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasRedis, PROGRAM } from '@rowwise/redis-server'
import { afterEach, describe, expect, it } from 'vitest'
import { program, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'
import { rowsOf } from './sweep-programs'

/** Two network name spaces with a cable between them; root alone may make them. */
const [near, far] = [`rw-near-${process.pid}`, `rw-far-${process.pid}`]
const ADDRESS = '10.213.7.1'
const PORT = '6379'

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'ignore' })

/** Whether name spaces can be made here. */
const hasNamespaces = ((): boolean => {
  try {
    ip('netns', 'add', near)
    ip('netns', 'del', near)
    return true
  } catch {
    return false
  }
})()

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const space of [near, far]) ip('netns', 'del', space)
})

function inside(space: string, ...command: string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', space, ...command], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

describe.skipIf(!hasRedis || !hasNamespaces)('a sweep whose worker is cut off from the network', () => {
  it('has the rows of one that was not', { timeout: 120_000 }, async () => {
    for (const space of [near, far]) ip('netns', 'add', space)
    ip('link', 'add', 'cable', 'netns', near, 'type', 'veth', 'peer', 'name', 'cable', 'netns', far)
    for (const [space, address] of [
      [near, ADDRESS],
      [far, '10.213.7.2'],
    ]) {
      ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'cable')
      for (const device of ['cable', 'lo']) ip('-n', space, 'link', 'set', device, 'up')
    }
    const home = temporaryDirectory()
    writeStripes(join(home, 'data'), { classes: 2 })
    const file = join(home, 'sweep.json')
    writeFileSync(
      file,
      JSON.stringify({
        train: { data: 'data', validation: 0.2 },
        space: { lr: { logUniform: [1e-3, 1e-1] } },
        search: { type: 'halving', trials: 12, eta: 2, pending: 4 },
        epochs: 16,
        objective: { metric: 'loss', better: 'lower' },
      }),
    )
    inside(
      near,
      PROGRAM,
      '--bind',
      ADDRESS,
      '--port',
      PORT,
      '--protected-mode',
      'no',
      '--dir',
      home,
      '--appendonly',
      'yes',
    )
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const node = [process.execPath, program]
    const redis = ['--redis', `redis://${ADDRESS}:${PORT}`]
    for (const space of [near, far]) {
      inside(space, ...node, 'worker', ...redis, '--workers', '1', '--root', home, '--lost-after', '1')
    }
    const sweep = inside(near, ...node, 'sweep', file, ...redis, '--json')
    let [stdout, cuts] = ['', 0]
    let mending: NodeJS.Timeout | undefined
    sweep.stdout?.on('data', (chunk) => {
      stdout += chunk
      if (stdout.split('\n').length < 6 * (cuts + 1) || cuts === 2) return
      cuts += 1 // the cable is pulled for longer than a worker may be silent
      ip('-n', far, 'link', 'set', 'cable', 'down')
      mending = setTimeout(() => ip('-n', far, 'link', 'set', 'cable', 'up'), 3000)
    })
    expect(await new Promise((resolve) => sweep.once('close', resolve))).toBe(0)
    clearTimeout(mending) // the other worker may have ended it before, and the name space goes
    expect(cuts).toBe(2)
    const alone = await rowwise(['sweep', file, '--json'])
    expect(rowsOf(stdout)).toEqual(rowsOf(alone.stdout))
  })
})
