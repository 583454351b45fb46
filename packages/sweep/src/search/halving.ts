import type { Config } from '../space'
import { keyOf, type Trial } from '../trial'
import type { Searcher } from './searcher'

/** How a halving is laid out. */
export interface HalvingOptions {
  minEpochs: number
  epochs: number
  eta: number
  pending: number
  seed: number
  fixed: Trial['fixed']
}

/** Trials that were trained equally far. */
interface Rung {
  epochs: number
  /** Those whose outcome counts already, the best first. */
  ranked: { number: number; cost: number; promoted: boolean }[]
}

/**
 * Asynchronous successive halving. Outcomes count in the order in which their trials were given out, whatever order they come in, and
 * a decision counts as few as it can: so the decisions do not depend on how many machines there are or how fast each is.
 */
export class Halving implements Searcher {
  private readonly rungs: Rung[]
  /** Trials in the order in which they were given out. */
  private readonly issued: Trial[] = []
  /** Costs that came, by key. */
  private readonly told = new Map<string, number>()
  /** How many of the issued count already. */
  private counted = 0
  private fresh = 0
  private isOver = false

  constructor(
    private readonly configurations: readonly Config[],
    private readonly options: HalvingOptions,
  ) {
    this.rungs = rungsOf(options).map((epochs) => ({ epochs, ranked: [] }))
  }

  get total(): number | null {
    return this.isOver ? this.issued.length : null
  }

  get done(): boolean {
    return this.isOver && this.told.size === this.issued.length
  }

  tell(key: string, cost: number): void {
    this.told.set(key, cost)
  }

  next(): Trial[] {
    const begin = this.issued.length
    while (!this.isOver) {
      const isFull = this.issued.length - this.counted >= this.options.pending
      const trial = isFull ? null : this.decide()
      if (trial) this.issued.push(trial)
      else if (this.counted === this.issued.length) this.isOver = true
      else if (!this.countNext()) break
    }
    return this.issued.slice(begin)
  }

  /** Lets the outcome of the oldest trial count that did not yet; false when it has not come. */
  private countNext(): boolean {
    const trial = this.issued[this.counted]
    const cost = this.told.get(keyOf(trial))
    if (cost === undefined) return false
    const ranked = this.rungs.find(({ epochs }) => epochs === trial.epochs)?.ranked ?? []
    const place = ranked.findIndex((other) => cost < other.cost || (cost === other.cost && trial.number < other.number))
    ranked.splice(place < 0 ? ranked.length : place, 0, { number: trial.number, cost, promoted: false })
    this.counted += 1
    return true
  }

  /** A trial of the highest rung that has one to promote, else a new one, else null. */
  private decide(): Trial | null {
    const { eta, seed, fixed } = this.options
    for (let k = this.rungs.length - 2; k >= 0; k--) {
      const { epochs: from, ranked } = this.rungs[k]
      const best = ranked.slice(0, Math.floor(ranked.length / eta))
      const found = best.find(({ promoted, cost }) => !promoted && Number.isFinite(cost)) // a failed one has no end of cost
      if (!found) continue
      found.promoted = true
      const { number } = found
      return { number, config: this.configurations[number], seed, epochs: this.rungs[k + 1].epochs, from, fixed }
    }
    if (this.fresh === this.configurations.length) return null
    const number = this.fresh++
    return { number, config: this.configurations[number], seed, epochs: this.rungs[0].epochs, from: 0, fixed }
  }
}

/** How far the rungs train: a full training, and an etaᵏ-th of it as long as that is `minEpochs`. */
export function rungsOf({ minEpochs, epochs, eta }: Pick<HalvingOptions, 'minEpochs' | 'epochs' | 'eta'>): number[] {
  const rungs: number[] = []
  for (let rung = epochs; rung >= minEpochs; rung = Math.floor(rung / eta)) rungs.unshift(rung)
  return rungs
}
