// Times a fixed piece of work on every core at once. It is one that has a core to itself only where nothing else runs: many additions
// under way at the same time, which slow down as soon as a neighbour, the other thread of the core included, takes its share.
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { readTask, serveTurns } from './serve'

/** Numbers that fit into the first-level cache. */
const VALUES = new Float64Array(1024).fill(1)
/** A few milliseconds of passes over them. */
const PASSES = 12_000

/** Eight sums at a time, more than an addition's latency hides. */
function addUp(values: Float64Array): number {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let at = 0; at < values.length; at += 8) {
    a += values[at]
    b += values[at + 1]
    c += values[at + 2]
    d += values[at + 3]
    e += values[at + 4]
    f += values[at + 5]
    g += values[at + 6]
    h += values[at + 7]
  }
  return a + b + c + d + e + f + g + h
}

function timeWork(): number {
  const began = performance.now()
  let sum = 0
  for (let pass = 0; pass < PASSES; pass++) sum += addUp(VALUES)
  const took = performance.now() - began
  return sum > 0 ? took : Number.NaN // what is not used would be optimized away
}

if (isMainThread) {
  const workers = Array.from({ length: readTask().threads }, () => new Worker(fileURLToPath(import.meta.url)))
  const ask = (worker: Worker): Promise<number> =>
    new Promise((resolve) => {
      worker.once('message', resolve)
      worker.postMessage('go')
    })
  await serveTurns('the same work on every core', async () => ({
    milliseconds: Math.max(...(await Promise.all(workers.map(ask)))),
  }))
} else {
  parentPort?.on('message', () => parentPort?.postMessage(timeWork()))
}
