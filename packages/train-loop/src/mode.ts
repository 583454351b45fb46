import type { Part, Trainable } from './model'

/** Switches a model to evaluation; returns what puts it and its parts back into the modes that they were in. */
export function toEvaluation(model: Trainable): () => void {
  const wasTraining = model.training ?? true
  const modes = modesOf(model)
  model.train?.(false)
  return () => {
    model.train?.(wasTraining)
    restore(modes)
  }
}

/** Switches a model to training. Of one in training, parts that are in evaluation stay so. */
export function toTraining(model: Trainable): void {
  const frozen = model.training === true ? modesOf(model).filter(([, training]) => !training) : []
  model.train?.(true)
  restore(frozen)
}

function restore(modes: readonly [Part, boolean][]): void {
  // It may have a getter alone.
  for (const [part, training] of modes) if (part.training !== training) part.training = training
}

function modesOf(part: Part): [Part, boolean][] {
  const parts = part.namedChildren?.().flatMap(([, child]) => modesOf(child)) ?? []
  return part.training === undefined ? parts : [[part, part.training], ...parts]
}
