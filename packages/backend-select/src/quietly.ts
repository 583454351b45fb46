import { env } from '@tensorflow/tfjs-core'

/**
 * Runs something with TensorFlow.js's own messages off: the banner that recommends another backend, and the stack trace
 * of a backend that does not start. Its only switches are the flags for tests and production, and production also drops checks.
 */
export async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  const before = env().getBool('IS_TEST')
  env().set('IS_TEST', true)
  try {
    return await work()
  } finally {
    env().set('IS_TEST', before)
  }
}
