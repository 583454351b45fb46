import { env } from '@tensorflow/tfjs-core'

/** Works under way: the first sets the flag, the last restores it. */
let running = 0
let before = false

/**
 * Runs something with TensorFlow.js's own messages off: the banner that recommends another backend, and the stack trace
 * of a backend that does not start. Its only switches are the flags for tests and production, and production also drops checks.
 */
export async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  if (running === 0) before = env().getBool('IS_TEST')
  running += 1
  env().set('IS_TEST', true)
  try {
    return await work()
  } finally {
    running -= 1
    if (running === 0) env().set('IS_TEST', before)
  }
}
