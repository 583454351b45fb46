import { engine, type Tensor } from '@tensorflow/tfjs-core'
import type { SavedPass } from '../runtime'

/**
 * Tapes after which a pass is given up whose tape was left by an exception: TensorFlow.js then forgets what it had saved. More than one,
 * because a gradient function may record a tape of its own while the outer one is still read (recomputation).
 */
const TAPES_KEPT = 8

/** A pass, and the tensor on the tape that stands for what it keeps ("reserve space", as cuDNN calls it). */
interface Reserve {
  readonly tensor: Tensor
  readonly pass: SavedPass
  readonly tape: number
}

let reserves: Reserve[] = []
let tape = { serial: 0, recorded: null as object | null }

/** The pass lives until the tape disposes the tensor that its operation saved, which is the last on it. */
export function keepWithTape(pass: SavedPass): void {
  const recorded = engine().state.activeTape
  const tensor = recorded?.at(-1)?.saved?.[0]
  if (tensor === undefined) pass.release()
  else reserves.push({ tensor, pass, tape: currentTape() })
}

/** Frees the passes that nobody can differentiate any more. */
export function releaseFinished(): void {
  if (reserves.length === 0) return
  const oldest = currentTape() - TAPES_KEPT
  reserves = reserves.filter(({ tensor, pass, tape: recordedOn }) => {
    if (!tensor.isDisposed && recordedOn > oldest) return true
    tensor.dispose()
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
