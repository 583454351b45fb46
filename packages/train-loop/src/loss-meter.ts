import { awaitValues, hostValues, isHostBackend } from '@rowwise/host-values'
import type { Tensor } from '@tensorflow/tfjs-core'

/** Losses that may wait on a device; they are read in one go, so that a step need not wait for its own. */
const READ_EVERY = 64

/** The running mean of a loss over samples, fed with scalars that stay on the device until they are asked for. */
export class LossMeter {
  private readonly waiting: { loss: Tensor; samples: number; weight: number }[] = []
  private readonly readEvery = isHostBackend() ? 1 : READ_EVERY
  private lastRead = Number.NaN
  private reading: Promise<void> | undefined

  /**
   * @param sum of the losses over the samples so far
   * @param samples so far
   */
  constructor(
    private sum = 0,
    private samples = 0,
  ) {}

  /**
   * Adds a batch's loss and takes the tensor over; whether all losses that are known so far are finite. A promise only where it waits.
   *
   * @param weight times that the loss counts: for each sample of a mean, once of a sum
   */
  add(loss: Tensor, samples: number, weight: number): boolean | Promise<boolean> {
    const known = this.waiting.length === 0 ? hostValues(loss) : undefined
    if (known) {
      this.count(known[0], samples, weight)
      loss.dispose()
      return Number.isFinite(this.sum)
    }
    this.waiting.push({ loss, samples, weight })
    if (this.waiting.length < this.readEvery) return Number.isFinite(this.sum)
    return this.read().then(() => Number.isFinite(this.sum))
  }

  /** The sum of the losses over all samples so far. */
  async total(): Promise<number> {
    await this.read()
    return this.sum
  }

  /** The loss that was added last. */
  async last(): Promise<number> {
    await this.read()
    return this.lastRead
  }

  /** The mean over all samples so far; NaN when there are none. */
  async mean(): Promise<number> {
    await this.read()
    return this.sum / this.samples
  }

  /** Frees the losses that wait. */
  dispose(): void {
    for (const { loss } of this.waiting.splice(0)) loss.dispose()
  }

  /** One read at a time, whoever asks, so that the sum keeps its order. */
  private async read(): Promise<void> {
    while (this.reading) await this.reading
    if (this.waiting.length === 0) return
    this.reading = this.readWaiting()
    try {
      await this.reading
    } finally {
      this.reading = undefined
    }
  }

  private async readWaiting(): Promise<void> {
    const batches = this.waiting.splice(0)
    try {
      const read = await Promise.all(batches.map(({ loss }) => awaitValues(loss)))
      read.forEach(([loss], at) => {
        this.count(loss, batches[at].samples, batches[at].weight)
      })
    } finally {
      for (const { loss } of batches) loss.dispose()
    }
  }

  private count(loss: number, samples: number, weight: number): void {
    this.lastRead = loss
    this.sum += loss * weight
    this.samples += samples
  }
}
