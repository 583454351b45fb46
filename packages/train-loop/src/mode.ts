import type { Part, Trainable } from './model'

/** Switches a model to evaluation; returns what puts it and its parts back into the modes that they were in. */
export function toEvaluation(model: Trainable): () => void {
  const wasTraining = model.training ?? true
  const modes = modesOf(model)
  model.train?.(false)
  return () => {
    model.train?.(wasTraining)
    for (const [part, training] of modes) part.training = training
  }
}

/** Switches a model to training, unless it is: parts of it that are in evaluation then stay so. */
export function toTraining(model: Trainable): void {
  if (model.training !== true) model.train?.(true)
}

function modesOf(part: Part): [Part, boolean][] {
  const parts = part.namedChildren?.().flatMap(([, child]) => modesOf(child)) ?? []
  return part.training === undefined ? parts : [[part, part.training], ...parts]
}
