import type { NamedGradients } from '../model'

/** What a training loop asks of an optimizer. */
export interface Optimizer {
  /** Learning rate; may be changed between steps. */
  lr: number
  /** Changes every parameter that has a gradient. */
  step(gradients: NamedGradients): void
}
