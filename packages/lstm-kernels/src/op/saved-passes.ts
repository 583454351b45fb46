import { engine } from '@tensorflow/tfjs-core'
import type { SavedForward } from '../engine'

/** Float32 counts exactly up to here; no two passes this far apart are alive together. */
const MAX_NUMBER = 1 << 24

/**
 * Tapes after which a pass that was recorded, but never differentiated, is given up. More than one, because a gradient
 * function may record a tape of its own while the outer one is still being read (recomputation in place of storage).
 */
const TAPES_KEPT = 8

interface Entry {
  readonly number: number
  readonly pass: SavedForward
  readonly tape: number
  differentiated: boolean
}

let entries: Entry[] = []
let lastNumber = 0
let tape = { serial: 0, recorded: null as object | null }

/**
 * Remembers a saved forward pass under a number. The number travels through TensorFlow.js in a tensor of one element: that is
 * the one thing which its gradient function gets back (the tensor itself may be copied on the way).
 */
export function remember(pass: SavedForward): number {
  lastNumber = (lastNumber % (MAX_NUMBER - 1)) + 1
  entries.push({ number: lastNumber, pass, tape: currentTape(), differentiated: false })
  return lastNumber
}

/** The pass of a number, about to be differentiated; undefined when it was given up. */
export function recall(number: number): SavedForward | undefined {
  const entry = entries.find((candidate) => candidate.number === number)
  if (entry) entry.differentiated = true
  return entry?.pass
}

/** Frees the passes that nobody can differentiate any more; to be called before a new forward pass. */
export function releaseFinished(): void {
  const oldest = currentTape() - TAPES_KEPT
  entries = entries.filter(({ pass, differentiated, tape: recordedOn }) => {
    if (!differentiated && recordedOn > oldest) return true
    pass.release()
    return false
  })
}

/** A number for the tape under way: TensorFlow.js begins a new list for each outermost gradient. */
function currentTape(): number {
  const recorded = engine().state.activeTape ?? null
  if (recorded !== tape.recorded) tape = { serial: tape.serial + 1, recorded }
  return tape.serial
}
