import { isHostBackend, readValues } from '@rowwise/host-values'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Losses that may wait on a device; they are read in one go, so that a step need not wait for its own. */
const READ_EVERY = 64

/** The running mean of a loss over samples, fed with scalars that stay on the device until they are asked for. */
export class LossMeter {
  private readonly waiting: { loss: Tensor; samples: number }[] = []
  private readonly readEvery = isHostBackend() ? 1 : READ_EVERY
  private lastRead = Number.NaN

  /**
   * @param sum of the losses over the samples so far
   * @param samples so far
   */
  constructor(
    private sum = 0,
    private samples = 0,
  ) {}

  /** Adds a batch's mean loss and takes the tensor over; whether all losses that are known so far are finite. */
  add(loss: Tensor, samples: number): boolean {
    this.waiting.push({ loss, samples })
    if (this.waiting.length >= this.readEvery) this.read()
    return Number.isFinite(this.sum)
  }

  /** The sum of the losses over all samples so far. */
  total(): number {
    this.read()
    return this.sum
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
      this.lastRead = readValues(loss)[0]
      this.sum += this.lastRead * samples
      this.samples += samples
      loss.dispose()
    }
    this.waiting.length = 0
  }
}
