import type { Batch, ResumableSource } from '../src'
import { batches } from './softmax-regression'

/** Four batches in an order that a small random stream draws anew for each epoch; resumable. */
export class ShuffledSource implements ResumableSource {
  private seed = 1
  private epochStart = 1
  private done = 0
  private skip = 0

  state() {
    return { seed: this.done > 0 ? this.epochStart : this.seed, done: this.done }
  }

  restore({ seed, done }: { seed: number; done: number }) {
    this.seed = seed
    this.epochStart = seed
    this.skip = done
    this.done = done
  }

  *[Symbol.iterator](): Iterator<Batch> {
    const items = [...batches(), ...batches()]
    this.epochStart = this.seed
    const order = items
      .map((item) => {
        this.seed = (this.seed * 48271) % 2147483647
        return { item, key: this.seed }
      })
      .sort((a, b) => a.key - b.key)
    for (const [index, { item }] of order.entries()) {
      if (index < this.skip) continue
      this.done = index + 1
      yield item
    }
    this.done = 0
    this.skip = 0
    this.epochStart = this.seed
  }
}
