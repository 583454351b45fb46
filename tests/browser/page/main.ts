// Starts the training in a worker, so that the page never freezes, and hands out what it says.
import { selectBackend } from '@rowwise/backend-select'
import type { Trained, TrainRequest } from './train'

declare global {
  interface Window {
    selectBackend: typeof selectBackend
    train(request: TrainRequest): Promise<Trained>
  }
}

window.selectBackend = selectBackend

window.train = (request) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      worker.terminate()
      if ('error' in data) reject(new Error(data.error))
      else resolve(data as Trained)
    }
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.postMessage(request)
  })
}
