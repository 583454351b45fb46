import { CLAIMS, DONE, GENERATION, JOB, OPERATION, OPERATIONS, READY, SLICE_COUNT, STARTED } from './control'

/**
 * How long a worker stays awake after a job. A training step leaves about a millisecond between its passes; to wake a
 * processor that went to sleep in it can take longer than the pass (measured on a virtual machine: half of the steps lost 3 ms).
 */
const AWAKE_MILLISECONDS = 3

/** How a worker gets what it works on. */
export const START = {
  node: `work(require('node:worker_threads').workerData)`,
  browser: `onmessage = ({ data }) => work(data)`,
} as const

/**
 * The program of a worker, as text: it has to travel with the code through any bundler. It waits until the generation
 * changes, claims slices that no thread has claimed yet, and says when one is done.
 */
export const WORKER_SOURCE = `
const work = ({ module, memory, control, stack, thread }) => {
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports
kernels.__stack_pointer.value = stack
const operations = ${JSON.stringify(OPERATIONS)}
const waitForJob = (seen) => {
  const deadline = performance.now() + ${AWAKE_MILLISECONDS}
  while (performance.now() < deadline) {
    for (let spin = 0; spin < 256; spin++) if (Atomics.load(control, ${GENERATION}) !== seen) return
  }
  Atomics.wait(control, ${GENERATION}, seen)
}
Atomics.add(control, ${STARTED}, 1)
Atomics.notify(control, ${STARTED})
let seen = 0
for (;;) {
  waitForJob(seen)
  seen = Atomics.load(control, ${GENERATION})
  const run = kernels[operations[Atomics.load(control, ${OPERATION})]]
  const job = Atomics.load(control, ${JOB})
  const slices = Atomics.load(control, ${SLICE_COUNT})
  for (let slice = 0; slice < slices; slice++) {
    // Fails where a thread was faster, and where the calling thread is preparing the next job already.
    if (Atomics.compareExchange(control, ${CLAIMS} + slice, seen, -seen) !== seen) continue
    while (Atomics.load(control, ${READY}) <= slice);
    run(job, slice, thread)
    Atomics.add(control, ${DONE}, 1)
    Atomics.notify(control, ${DONE})
  }
}
}
`
