import { loadMnist } from '@rowwise/data-mnist'
import { type TrainRequest, train } from './train'

addEventListener('message', async ({ data }: MessageEvent<TrainRequest>) => {
  try {
    postMessage(await train(data, await loadMnist(data.source)))
  } catch (error) {
    postMessage({ error: `${(error as { code?: string }).code}: ${(error as Error).message}` })
  }
})
