import { belongsTo, type Layer } from '../layer'
import { FinalHidden, LastStep } from '../layers/steps'
import { RecurrentLayer } from './recurrent-layer'

/** A layer of a sequence, or two that are computed together, and the name that its parameters begin with. */
export interface Step {
  readonly name: string
  readonly layer: Pick<Layer, 'forward' | 'vjp' | 'isFrozen'>
}

/** A recurrent layer together with the layer after it that picks one state of each row: the others need not be put out. */
export function link(layer: Layer | undefined, next: Layer | undefined): Step['layer'] | undefined {
  const isOwn = (of: Layer, method: string, ...others: string[]) =>
    others.every((other) => belongsTo(of, method, other))
  if (!(layer instanceof RecurrentLayer) || !isOwn(layer, 'picked', 'forward', 'vjp')) return undefined
  const isPicker = next instanceof LastStep || next instanceof FinalHidden
  return isPicker && isOwn(next, 'picks', 'forward', 'vjp') ? layer.picked(next.picks) : undefined
}
