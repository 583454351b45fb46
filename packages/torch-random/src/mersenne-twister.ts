const N = 624
const M = 397
const UPPER_MASK = 0x80000000
const LOWER_MASK = 0x7fffffff
const TWIST = 0x9908b0df
const INIT_MULTIPLIER = 1812433253

/**
 * MT19937, the 32-bit Mersenne Twister, with the bookkeeping of PyTorch's `at::mt19937`: `left` words remain before the
 * next twist, `next` is the index of the following word.
 *
 * Source: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
 */
export class MersenneTwister {
  readonly words = new Uint32Array(N)
  left = 1
  next = 0

  /** Fills the state from the low 32 bits of a seed. */
  seed(seed: number): void {
    const { words } = this
    words[0] = seed >>> 0
    for (let j = 1; j < N; j++) {
      const previous = words[j - 1] ^ (words[j - 1] >>> 30)
      words[j] = Math.imul(INIT_MULTIPLIER, previous) + j
    }
    this.left = 1
    this.next = 0
  }

  /** The next 32 bits, as an unsigned number. */
  draw(): number {
    this.left -= 1
    if (this.left === 0) this.twist()
    let y = this.words[this.next]
    this.next += 1
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    y ^= y >>> 18
    return y >>> 0
  }

  private twist(): void {
    const { words } = this
    for (let k = 0; k < N - M; k++) words[k] = words[k + M] ^ twisted(words[k], words[k + 1])
    for (let k = N - M; k < N - 1; k++) words[k] = words[k + M - N] ^ twisted(words[k], words[k + 1])
    words[N - 1] = words[M - 1] ^ twisted(words[N - 1], words[0])
    this.left = N
    this.next = 0
  }
}

/** One bit of a word and the others of the next, multiplied by the twister's matrix, without a branch. */
function twisted(word: number, next: number): number {
  const mixed = (word & UPPER_MASK) | (next & LOWER_MASK)
  return (mixed >>> 1) ^ (-(mixed & 1) & TWIST)
}

/** Words in the state of {@link MersenneTwister}. */
export const STATE_WORDS = N
