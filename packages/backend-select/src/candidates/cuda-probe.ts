import { spawn } from 'node:child_process'
import { utilRepair } from './util-repair'

/** What the child process that loaded tfjs-node-gpu came to. */
export type ProbeResult =
  | { outcome: 'gpu' | 'no-gpu' }
  | { outcome: 'threw'; message: string }
  | { outcome: 'died'; how: string; message: string }
  | { outcome: 'timed-out' }

const MARK = 'rowwise-probe:'
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
  child.stdout.on('data', (chunk) => {
    stdout = (stdout + chunk).slice(-MAX_OUTPUT)
  })
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(0, MAX_OUTPUT)
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve({ outcome: 'timed-out' })
    }, timeoutMs)
    child.on('error', (error) => finish({ outcome: 'died', how: String(error), message: '' }))
    child.on('close', (code, signal) => {
      const line = stdout.split('\n').find((candidate) => candidate.startsWith(MARK))
      if (line !== undefined) finish(JSON.parse(line.slice(MARK.length)) as ProbeResult)
      else finish({ outcome: 'died', how: signal ? `signal ${signal}` : `exit code ${code}`, message: stderr })
    })
    function finish(result: ProbeResult): void {
      clearTimeout(timer)
      resolve(result)
    }
  })
}
