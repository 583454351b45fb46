import type { Trainable } from '@rowwise/train-loop'

/** The same model for whom only TensorFlow.js's tape is left. */
export const onTape = (model: Trainable): Trainable => ({
  forward: (inputs) => model.forward(inputs),
  parameters: () => model.parameters(),
  stateDict: () => model.stateDict(),
  loadStateDict: (stateDict) => model.loadStateDict(stateDict),
})
