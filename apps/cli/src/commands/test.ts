import { DataLoader, normalize } from '@rowwise/data-mnist'
import { testModel } from '@rowwise/train-loop'
import type { CommonFlags } from '../options'
import { startBackend } from '../run/prepare'
import { loadModel, loadTestImages, type UseFlags } from '../run/weights-and-data'
import { print, printJson } from '../show/print'
import { classified, classifierMetrics, testLine } from '../show/test-line'

/** The flags of `rowwise test`. */
export interface TestFlags extends CommonFlags, UseFlags {
  batchSize: number
}

/** `rowwise test`: how well saved weights classify the test images. */
export async function test(flags: TestFlags): Promise<void> {
  const { name: backend } = await startBackend(flags)
  const inUse = await loadModel(flags)
  const images = await loadTestImages(flags, inUse)
  const { mean, std } = inUse.preprocessing
  const loader = new DataLoader(images, { batchSize: flags.batchSize, transform: normalize(mean, std) })
  const result = classified(await testModel(inUse.model, loader, { metrics: classifierMetrics() }))
  if (flags.json) printJson({ weights: flags.weights, backend, ...result, accuracy: result.correct / result.total })
  else print(testLine(result))
}
