import { DataLoader, normalize, VARIANTS } from '@rowwise/data-mnist'
import { testModel } from '@rowwise/train-loop'
import type { CommonFlags, DataFlags } from '../options'
import { loadData, startBackend } from '../run/prepare'
import { loadWeights } from '../run/weights-file'
import { print, printJson } from '../show/print'
import { testLine } from '../show/test-line'

/** The flags of `rowwise test`. */
export interface TestFlags extends CommonFlags, DataFlags {
  weights: string
  batchSize: number
}

/** `rowwise test`: how well saved weights classify the test images. */
export async function test(flags: TestFlags): Promise<void> {
  const { name: backend } = await startBackend(flags)
  const { model, preprocessing } = await loadWeights(flags.weights)
  const { mean, std } = preprocessing ?? VARIANTS[flags.variant]
  const data = await loadData(flags)
  const loader = new DataLoader(data.test, { batchSize: flags.batchSize, transform: normalize(mean, std) })
  const result = await testModel(model, loader)
  if (flags.json) printJson({ weights: flags.weights, backend, ...result, accuracy: result.correct / result.total })
  else print(testLine(result))
}
