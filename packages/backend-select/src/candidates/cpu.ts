import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { findBackend, registerBackend, scalar, setBackend } from '@tensorflow/tfjs-core'
import { quietly } from '../quietly'
import type { Attempt } from '../reasons'

/** Starts the plain JavaScript backend, which runs everywhere; its first tensor would print the banner, so make that here. */
export async function startCpu(): Attempt {
  await quietly(async () => {
    // The package registers itself when it is imported, but bundlers drop an import of which no name is used.
    if (findBackend('cpu') === null) registerBackend('cpu', () => new MathBackendCPU())
    await setBackend('cpu')
    scalar(0).dispose()
  })
  return null
}
