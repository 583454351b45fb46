import { spawn } from 'node:child_process'
import { utilRepair } from './util-repair'

/** What the child process that loaded tfjs-node-gpu came to. */
export type ProbeResult =
  | { outcome: 'gpu' | 'no-gpu' }
  | { outcome: 'threw'; message: string }
  | { outcome: 'died'; how: string; message: string }
  | { outcome: 'timed-out' }

const MARK = 'rowwise-probe:'
/** How long output that was written before the end may take to arrive. */
const LAST_OUTPUT_MS = 500
const MAX_OUTPUT = 64 * 1024 // a crash report may be long; its first part tells the library

/**
 * Loads tfjs-node-gpu in a child process, because a CUDA library that fails can abort the process past any try and catch,
 * or hang it. The child is ended at the time limit.
 */
export function probeCuda(packageDirectory: string, timeoutMs: number): Promise<ProbeResult> {
  const script = `
    const report = (result) => { process.stdout.write(${JSON.stringify(MARK)} + JSON.stringify(result) + '\\n'); process.exit(0) }
    try {
      (${utilRepair})(require('node:util'))
      const tf = require(${JSON.stringify(packageDirectory)})
      const ready = tf.ready ? tf.ready() : Promise.resolve()
      ready.then(() => report({ outcome: tf.backend().isUsingGpuDevice === true ? 'gpu' : 'no-gpu' }),
        (error) => report({ outcome: 'threw', message: String(error) }))
    } catch (error) { report({ outcome: 'threw', message: String(error) }) }`
  const environment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
  let [stdout, stderr] = ['', '']
  return new Promise((resolve) => {
    const timers = [setTimeout(() => finish({ outcome: 'timed-out' }), timeoutMs)]
    child.stdout.on('data', (chunk) => {
      stdout = (stdout + chunk).slice(-MAX_OUTPUT)
      const result = resultIn(stdout)
      if (result) finish(result)
    })
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(0, MAX_OUTPUT)
    })
    child.on('error', (error) => finish({ outcome: 'died', how: String(error), message: '' }))
    const died = (code: number | null, signal: string | null): void =>
      finish({ outcome: 'died', how: signal ? `signal ${signal}` : `exit code ${code}`, message: stderr })
    child.on('close', died)
    // Its own children may keep its output open.
    child.on('exit', (...how) => timers.push(setTimeout(died, LAST_OUTPUT_MS, ...how)))
    function finish(result: ProbeResult): void {
      for (const timer of timers) clearTimeout(timer)
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      resolve(result)
    }
  })
}

/** What the child reported, if it did by now. */
function resultIn(output: string): ProbeResult | undefined {
  for (const line of output.split('\n').slice(0, -1)) {
    if (!line.startsWith(MARK)) continue
    try {
      return JSON.parse(line.slice(MARK.length)) as ProbeResult
    } catch {} // the package's own output
  }
  return undefined
}
