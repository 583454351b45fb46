import type { NamedGradients } from '../model'

/** What a training loop asks of an optimizer. */
export interface Optimizer {
  /** Learning rate; may be changed between steps. */
  lr: number
  /** Changes every parameter that has a gradient. */
  step(gradients: NamedGradients): void
  /** Everything needed to go on, as plain data; without it a checkpoint holds no optimizer. */
  stateDict?(): unknown
  /** Takes over what `stateDict` returned, or refuses it and changes nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: each optimizer has a state of its own
  loadStateDict?(state: any): void
}
