import type { OptionNames } from '@rowwise/errors'
import { show } from '../checks'
import { TrainOptionError } from '../errors'
import type { Callbacks } from './callbacks'

const EVENTS: OptionNames<Callbacks> = {
  ...{ onFitBegin: true, onEpochBegin: true, onBatchBegin: true, onGradients: true, onBatchEnd: true },
  ...{ onCheckpoint: true, onEpochEnd: true, onFitEnd: true },
}

/** Refuses callbacks that are no list, or wait for an event that never comes. */
export function requireCallbacks(callbacks: readonly Callbacks[]): void {
  if (!Array.isArray(callbacks))
    throw new TrainOptionError(`callbacks is ${show(callbacks)}, expected an array of them`)
  for (const [index, callback] of callbacks.entries()) {
    if (typeof callback !== 'object' || callback === null) {
      throw new TrainOptionError(`callbacks[${index}] is ${show(callback)}, expected an object with some of ${events}`)
    }
    const stray = Object.keys(callback).find((name) => /^on[A-Z]/.test(name) && !Object.hasOwn(EVENTS, name))
    if (stray) throw new TrainOptionError(`callbacks[${index}] has ${stray}, which is never called; expected ${events}`)
  }
}

const events = Object.keys(EVENTS).join(', ')
