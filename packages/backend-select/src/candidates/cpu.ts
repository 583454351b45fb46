import '@tensorflow/tfjs-backend-cpu'
import { scalar, setBackend } from '@tensorflow/tfjs-core'
import { quietly } from '../quietly'
import type { Attempt } from '../reasons'

/** Starts the plain JavaScript backend, which runs everywhere; its first tensor would print the banner, so make that here. */
export async function startCpu(): Attempt {
  await quietly(async () => {
    await setBackend('cpu')
    scalar(0).dispose()
  })
  return null
}
