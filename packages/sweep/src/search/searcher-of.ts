import type { Config } from '../space'
import type { CompleteSweep } from '../sweep'
import type { Trial } from '../trial'
import { configurationsOf } from './configurations'
import { Halving } from './halving'
import type { Searcher } from './searcher'

/** The searcher of a sweep. */
export function searcherOf(sweep: CompleteSweep): Searcher {
  const { search, epochs, seed, fixed } = sweep
  const configurations = configurationsOf(sweep)
  if (search.type !== 'halving') return new AllAtOnce(configurations, { epochs, seed, fixed })
  const { minEpochs = 1, eta = 3, pending = 16 } = search
  return new Halving(configurations, { minEpochs, eta, pending, epochs, seed, fixed })
}

/** Trials that do not depend on each other. */
class AllAtOnce implements Searcher {
  private isGiven = false
  private readonly told = new Set<string>()
  readonly total: number

  constructor(
    private readonly configurations: readonly Config[],
    private readonly options: Pick<Trial, 'epochs' | 'seed' | 'fixed'>,
  ) {
    this.total = configurations.length
  }

  next(): Trial[] {
    if (this.isGiven) return []
    this.isGiven = true
    return this.configurations.map((config, number) => ({ number, config, ...this.options, from: 0 }))
  }

  tell(key: string): void {
    this.told.add(key)
  }

  get done(): boolean {
    return this.told.size === this.total
  }
}
