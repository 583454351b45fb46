import { confusion, type TestResult } from '@rowwise/train-loop'

/** What the program finds out in an evaluation, beside the loss. */
export const classifierMetrics = () => ({ confusion: confusion() })

/** How well a classifier does: `confusion[target][predicted]` counts the images. */
export interface Classified {
  loss: number
  correct: number
  total: number
  confusion: number[][]
}

/** An evaluation as the program shows it. */
export function classified({ loss, samples, metrics }: TestResult<ReturnType<typeof classifierMetrics>>): Classified {
  const correct = metrics.confusion.reduce((sum, row, target) => sum + row[target], 0)
  return { loss, correct, total: samples, confusion: metrics.confusion }
}

/** The line that PyTorch's examples print after an evaluation. */
export function testLine({ loss, correct, total }: Classified): string {
  return `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${correct}/${total} (${Math.round((100 * correct) / total)}%)`
}
