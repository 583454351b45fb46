import { GeneratorStateError } from './errors'
import { type MersenneTwister, STATE_WORDS } from './mersenne-twister'

// The bytes of `torch.get_state()` on a little-endian machine: PyTorch's CPUGeneratorImplState, 8 bytes a state word.
const SEED_AT = 0
const LEFT_AT = 8
const SEEDED_AT = 12
const NEXT_AT = 16
const WORDS_AT = 24
const NORMAL_AT = 5024
const HAS_NORMAL_AT = 5040

/** Length of a state in bytes, PyTorch's: the words, the counters, and the cache of its normal distribution. */
export const STATE_BYTES = 5056

/** Writes a state as `torch.get_state()` does, with the number that a normal draw has left for the next. */
export function encodeState(engine: MersenneTwister, initialSeed: bigint, keptNormal: number | null): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(SEED_AT, initialSeed, true)
  view.setInt32(LEFT_AT, engine.left, true)
  view.setInt32(SEEDED_AT, 1, true)
  view.setBigUint64(NEXT_AT, BigInt(engine.next), true)
  engine.words.forEach((word, index) => {
    view.setBigUint64(WORDS_AT + 8 * index, BigInt(word), true)
  })
  view.setFloat64(NORMAL_AT, keptNormal ?? 0, true)
  view.setInt32(HAS_NORMAL_AT, keptNormal === null ? 0 : 1, true)
  return bytes
}

/** Reads a state into `engine`, which stays as it was when the bytes are refused; returns the rest. */
export function decodeState(bytes: Uint8Array, engine: MersenneTwister): { seed: bigint; keptNormal: number | null } {
  if (bytes.byteLength !== STATE_BYTES) {
    throw new GeneratorStateError(
      `the state has ${bytes.byteLength} bytes, a generator's has ${STATE_BYTES}; pass what state() or torch.get_rng_state() returned`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const left = view.getInt32(LEFT_AT, true)
  const next = view.getBigUint64(NEXT_AT, true)
  // A fresh seed stands at (1, 0); from the first twist on the two counters add up to one more than the words.
  const fresh = left === 1 && next === 0n
  const running = left >= 1 && left <= STATE_WORDS && Number(next) + left === STATE_WORDS + 1
  if (view.getInt32(SEEDED_AT, true) !== 1 || !(fresh || running)) {
    throw new GeneratorStateError(
      `the state's counters are left ${left}, next ${next}, which no generator reaches; the bytes were altered, so start from a seed`,
    )
  }
  const words = Array.from({ length: STATE_WORDS }, (_, index) => view.getBigUint64(WORDS_AT + 8 * index, true))
  const wide = words.findIndex((word) => word > 0xffffffffn)
  if (wide >= 0) {
    throw new GeneratorStateError(
      `word ${wide} of the state is ${words[wide]}, over 32 bits; the bytes were altered, so start from a seed`,
    )
  }
  words.forEach((word, index) => {
    engine.words[index] = Number(word)
  })
  engine.left = left
  engine.next = Number(next)
  const hasNormal = view.getInt32(HAS_NORMAL_AT, true) !== 0
  return { seed: view.getBigUint64(SEED_AT, true), keptNormal: hasNormal ? view.getFloat64(NORMAL_AT, true) : null }
}
