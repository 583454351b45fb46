import { reasonAgainst } from './fusable'
import type { RecurrentOfLayers } from './layers'

/** What ran a recurrent layer. A list of them suits `console.table`. */
export interface LayerReport {
  /** The layer's name, with those of the layers around it. */
  layer: string
  /** Its class: LSTM, GRU, SimpleRNN, RNN and others. */
  className: string
  /** Calls that the kernels computed. */
  fused: number
  /** Calls that tfjs-layers computed. */
  original: number
  /** Why tfjs-layers computed some, or would now; empty where nothing is against the kernels. */
  reason: string
}

/** Counts the calls of layers, without keeping the layers alive. */
export class Calls {
  private readonly counts = new WeakMap<RecurrentOfLayers, { fused: number; original: number; reasons: Set<string> }>()
  private layers: WeakRef<RecurrentOfLayers>[] = []

  /** Counts a call. */
  count(layer: RecurrentOfLayers, reason: string | undefined): void {
    let counted = this.counts.get(layer)
    if (counted === undefined) {
      counted = { fused: 0, original: 0, reasons: new Set() }
      this.counts.set(layer, counted)
      this.layers.push(new WeakRef(layer))
    }
    if (reason === undefined) counted.fused += 1
    else {
      counted.original += 1
      counted.reasons.add(reason)
    }
  }

  /** The layers that were called and still live. */
  called(): { place: string; layer: RecurrentOfLayers }[] {
    this.layers = this.layers.filter((reference) => reference.deref() !== undefined)
    return this.layers.flatMap((reference) => {
      const layer = reference.deref()
      return layer ? [{ place: layer.name, layer }] : []
    })
  }

  /** What ran layers. */
  report(layers: readonly { place: string; layer: RecurrentOfLayers }[]): LayerReport[] {
    return layers.map(({ place, layer }) => {
      const { fused = 0, original = 0, reasons = [] } = this.counts.get(layer) ?? {}
      const now = fused + original > 0 ? undefined : reasonAgainst(layer, undefined, { training: true })
      const reason = [...reasons, ...(now ? [now] : [])].join('; ')
      return { layer: place, className: layer.getClassName(), fused, original, reason }
    })
  }
}
