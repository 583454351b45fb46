// Times a fixed piece of work on as many cores at once as it is told. It is one that keeps a core's units for additions and loads busy, so that it
// slows down as soon as anything else, on the core's other hardware thread too, takes a share.
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { readTask, serveTurns } from './serve'

/** Numbers that fit into the first-level cache. */
const VALUES = new Float64Array(1024).fill(1)
/** A few milliseconds of passes over them. */
const PASSES = 12_000

/** Eight sums at a time, enough to hide an addition's latency. */
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
  await serveTurns(`the same work on ${workers.length} threads`, async () => ({
    milliseconds: Math.max(...(await Promise.all(workers.map(ask)))),
  }))
} else {
  parentPort?.on('message', () => parentPort?.postMessage(timeWork()))
}
