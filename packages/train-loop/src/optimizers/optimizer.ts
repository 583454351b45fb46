import type { NamedGradients, NamedParameters } from '../model'

/** What has a learning rate. */
export interface LearningRateOwner {
  /** Learning rate; may be changed between steps. */
  lr: number
}

/** What a training loop asks of an optimizer. */
export interface Optimizer {
  /** Learning rate; may be changed between steps. */
  lr: number
  /** Parts of the parameters with learning rates of their own; a schedule changes each. The optimizer itself when absent. */
  readonly groups?: readonly LearningRateOwner[]
  /** Changes every parameter that has a gradient. */
  step(gradients: NamedGradients): void
  /** The tensors that it trains, by name: a loop compares them with its model's. */
  parameters?(): NamedParameters
  /** Everything needed to go on, as plain data; without it a checkpoint holds no optimizer. Waits for the device. */
  stateDict?(): unknown
  /** Takes over what `stateDict` returned, or refuses it and changes nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: each optimizer has a state of its own
  loadStateDict?(state: any): void
}

/** What has a learning rate: the groups of an optimizer, or the optimizer. */
export function groupsOf(optimizer: Optimizer): readonly LearningRateOwner[] {
  return optimizer.groups ?? [optimizer]
}
