import type { TestResult } from '@rowwise/train-loop'

/** The line that PyTorch's examples print after an evaluation. */
export function testLine({ loss, correct, total }: TestResult): string {
  return `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${correct}/${total} (${Math.round((100 * correct) / total)}%)`
}
