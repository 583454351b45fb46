/** Arrays of one length that are kept: the gradients of a step, its batch and the parameters before and after it. */
const KEPT_PER_LENGTH = 8
/** Lengths that are kept; more come only from programs whose shapes change all the time. */
const KEPT_LENGTHS = 64

const idle = new Map<number, Float32Array[]>()

/** An array with arbitrary content, one of a disposed tensor where there is one: a new one would be cleared first and collected soon. */
export function takeArray(length: number): Float32Array {
  return idle.get(length)?.pop() ?? new Float32Array(length)
}

/** Keeps an array that nobody reads any more. */
export function giveArray(array: Float32Array): void {
  const same = idle.get(array.length)
  if (same === undefined) {
    if (idle.size >= KEPT_LENGTHS) idle.clear()
    idle.set(array.length, [array])
  } else if (same.length < KEPT_PER_LENGTH) same.push(array)
}
