import type { Tensor } from '@tensorflow/tfjs-core'

/** Losses that may wait on the device; they are read in one go, so that a step need not wait for its own. */
const READ_EVERY = 64

/** The running mean of a loss over samples, fed with scalars that stay on the device until they are asked for. */
export class LossMeter {
  private readonly waiting: { loss: Tensor; samples: number }[] = []
  private sum = 0
  private samples = 0
  private lastRead = Number.NaN

  /** Adds a batch's mean loss; takes the tensor over. */
  add(loss: Tensor, samples: number): void {
    this.waiting.push({ loss, samples })
    if (this.waiting.length >= READ_EVERY) this.read()
  }

  /** The loss that was added last. */
  last(): number {
    this.read()
    return this.lastRead
  }

  /** The mean over all samples so far; NaN when there are none. */
  mean(): number {
    this.read()
    return this.sum / this.samples
  }

  private read(): void {
    for (const { loss, samples } of this.waiting) {
      this.lastRead = loss.dataSync()[0]
      this.sum += this.lastRead * samples
      this.samples += samples
      loss.dispose()
    }
    this.waiting.length = 0
  }
}
