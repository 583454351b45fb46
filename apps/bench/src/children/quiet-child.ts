// Times a fixed piece of work on several cores at once. The work keeps a core's addition and load units busy, so it slows down
// as soon as anything else takes a share, on the core's other hardware thread too.
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { answerRequests, readTask } from './serve'

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
  return sum > 0 ? took : Number.NaN // an unused sum would be optimized away
}

if (isMainThread) {
  const workers = Array.from({ length: readTask().threads }, () => new Worker(fileURLToPath(import.meta.url)))
  const ask = (worker: Worker): Promise<number> =>
    new Promise((resolve) => {
      worker.once('message', resolve)
      worker.postMessage('go')
    })
  await answerRequests(`the same work on ${workers.length} threads`, async () => ({
    milliseconds: Math.max(...(await Promise.all(workers.map(ask)))),
  }))
} else {
  parentPort?.on('message', () => parentPort?.postMessage(timeWork()))
}
