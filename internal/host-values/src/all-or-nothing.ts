import { engine } from '@tensorflow/tfjs-core'

/** Builds a model; if that throws, disposes the variables of the layers that were built before. */
export function allOrNothing<T>(build: () => T): T {
  const { registeredVariables } = engine().state
  const before = new Set(Object.keys(registeredVariables))
  try {
    return build()
  } catch (error) {
    for (const [name, variable] of Object.entries(registeredVariables)) if (!before.has(name)) variable.dispose()
    throw error
  }
}
