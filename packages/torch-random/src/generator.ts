import { RandomRangeError, SeedError } from './errors'
import { MersenneTwister } from './mersenne-twister'
import { decodeState, encodeState } from './state'

/** The seed of a `torch.Generator()` that was given none (`c10::detail::kDefaultSeed`). */
export const DEFAULT_SEED = 67280421310721n

const INT64_MASK = (1n << 63n) - 1n
const MANTISSA_MASK = (1 << 24) - 1 // a float32 has 24 significant bits; PyTorch draws just these
const MANTISSA_UNIT = 2 ** -24

/**
 * From this many items on PyTorch's `randperm` draws 64 bits an item, a path that nobody here has vectors for
 * (`UINT32_MAX / 20` in `aten/src/ATen/native/TensorFactories.cpp`).
 */
const RANDPERM_LIMIT = Math.floor(0xffffffff / 20)

/** From so many items on PyTorch's `normal_` goes by blocks of so many (`normal_fill` in `aten/src/ATen/native/cpu/DistributionTemplates.h`). */
const NORMAL_BLOCK = 16

/**
 * PyTorch's CPU random stream: the same seed gives the same numbers as `torch.Generator`, bit for bit.
 *
 * @example
 * ```ts
 * const generator = new Generator(0) // torch.manual_seed(0)
 * generator.uniform(new Float32Array(3), -0.125, 0.125)
 * generator.randperm(60000) // Int32Array(60000)
 * ```
 */
export class Generator {
  private readonly engine = new MersenneTwister()
  private seed = DEFAULT_SEED
  /** The second number of a normal draw, PyTorch's `next_double_normal_sample`. */
  private keptNormal: number | null = null

  /**
   * @param seed any 64-bit integer, as for {@link Generator.manualSeed}.
   * @throws {@link SeedError} when it is not one.
   */
  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed)
  }

  /** The seed that this generator was last given, as an unsigned 64-bit integer (`Generator.initial_seed`). */
  get initialSeed(): bigint {
    return this.seed
  }

  /**
   * Starts the stream of a seed, as `torch.manual_seed` does: an integer from −2⁶³ to 2⁶⁴−1, of which a negative one
   * stands for its two's complement and only the low 32 bits reach the Mersenne Twister.
   *
   * @throws {@link SeedError} when the seed is no such integer, or a number too large to be exact (use a bigint then).
   */
  manualSeed(seed: number | bigint): this {
    if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
      const found = typeof seed === 'string' ? JSON.stringify(seed) : String(seed)
      throw new SeedError(
        `the seed is ${found}, expected an integer; over 2^53 write it as a bigint, such as 1n << 60n`,
      )
    }
    const wide = BigInt(seed)
    if (wide < -(1n << 63n) || wide >= 1n << 64n) {
      throw new SeedError(`the seed is ${wide}, expected an integer from -2^63 to 2^64-1; take it modulo 2^64`)
    }
    this.seed = BigInt.asUintN(64, wide)
    this.engine.seed(Number(this.seed & 0xffffffffn))
    this.keptNormal = null
    return this
  }

  /** The next 32 bits, from 0 to 2³²−1. */
  random(): number {
    return this.engine.draw()
  }

  /** The next 64 bits, from 0 to 2⁶⁴−1: two 32-bit draws, the high half first. */
  random64(): bigint {
    const high = BigInt(this.engine.draw())
    return (high << 32n) | BigInt(this.engine.draw())
  }

  /** A non-negative signed 64-bit integer, as `torch.empty((), dtype=torch.int64).random_()` draws it. */
  randomInt64(): bigint {
    return this.random64() & INT64_MASK
  }

  /**
   * Fills `out` with float32 numbers from [from, to), as `Tensor.uniform_(from, to)` does for float32: 24 random bits
   * each, stretched by a fused multiply-add, which is what PyTorch's build for AVX2 and AVX-512 machines compiles to.
   *
   * @param out any number of items; filled in order and returned.
   * @throws {@link RandomRangeError} unless both bounds are finite and `from <= to`, and `out` is a Float32Array.
   */
  uniform(out: Float32Array, from = 0, to = 1): Float32Array {
    requireFloats('uniform', out)
    const [lower, upper] = [Math.fround(from), Math.fround(to)]
    const width = Math.fround(upper - lower)
    if (!Number.isFinite(width) || from > to) {
      throw new RandomRangeError(
        `uniform from ${from} to ${to}: expected two bounds that are finite in float32, as is their distance, the lower one first`,
      )
    }
    for (let index = 0; index < out.length; index++) {
      const unit = (this.engine.draw() & MANTISSA_MASK) * MANTISSA_UNIT
      out[index] = unit * width + lower // the product is exact in float64; its sum all but always
      if (out[index] === upper) out[index] = lower // what rounds up to the end is the beginning in PyTorch, too
    }
    return out
  }

  /**
   * Fills `out` with float32 numbers of a normal distribution, as `Tensor.normal_(mean, std)` does: by the method of Box and Muller (1958),
   * √(−2·ln u₁)·cos 2πu₂ and √(−2·ln u₁)·sin 2πu₂. From 16 items on in blocks of 16, else one after the other in float64, of which a second
   * number is kept for the next such call. The last bit depends on the machine's cosine, in PyTorch and here.
   *
   * @param out any number of items; filled in order and returned.
   * @throws {@link RandomRangeError} unless both are finite, `std` is not negative, and `out` is a Float32Array.
   */
  normal(out: Float32Array, mean = 0, std = 1): Float32Array {
    requireFloats('normal', out)
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
      throw new RandomRangeError(`normal of mean ${mean} and std ${std}: expected finite numbers, std of at least 0`)
    }
    if (out.length < NORMAL_BLOCK) {
      for (let at = 0; at < out.length; at++) out[at] = this.nextNormal() * std + mean
      return out
    }
    this.uniform(out)
    for (let at = 0; at + NORMAL_BLOCK <= out.length; at += NORMAL_BLOCK) toNormal(out, at, mean, std)
    const last = out.length - NORMAL_BLOCK
    if (last % NORMAL_BLOCK === 0) return out
    this.uniform(out.subarray(last))
    toNormal(out, last, mean, std)
    return out
  }

  /** One number in float64, as PyTorch's `normal_distribution<double>`: of two that it makes, the second waits for the next call. */
  private nextNormal(): number {
    const kept = this.keptNormal
    this.keptNormal = null
    if (kept !== null) return kept
    const [u1, u2] = [this.unit53(), this.unit53()]
    const radius = Math.sqrt(-2 * Math.log1p(-u2))
    this.keptNormal = radius * Math.sin(2 * Math.PI * u1)
    return radius * Math.cos(2 * Math.PI * u1)
  }

  private unit53(): number {
    return Number(this.random64() & ((1n << 53n) - 1n)) * 2 ** -53
  }

  /**
   * A random order of the integers 0 … n−1, as `torch.randperm(n)` draws it: n−1 draws of 32 bits.
   *
   * @param n how many, from 0 to 214 748 363.
   * @returns int32 `[n]`
   * @throws {@link RandomRangeError} when n is no such integer.
   */
  randperm(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n >= RANDPERM_LIMIT) {
      throw new RandomRangeError(`randperm of ${n} items: expected an integer from 0 to ${RANDPERM_LIMIT - 1}`)
    }
    const order = new Int32Array(n)
    for (let i = 0; i < n; i++) order[i] = i
    for (let i = 0; i < n - 1; i++) {
      // >>> 0 says that both are 32-bit integers, whose remainder is one instruction.
      const j = i + ((this.engine.draw() >>> 0) % ((n - i) >>> 0))
      const held = order[i]
      order[i] = order[j]
      order[j] = held
    }
    return order
  }

  /**
   * A new generator seeded by a 64-bit draw from this one, as PyTorch's `RandomSampler` makes its own: work that draws
   * from the fork leaves this stream alone.
   */
  fork(): Generator {
    return new Generator(this.randomInt64())
  }

  /** A copy that goes on with the same numbers as this one. */
  clone(): Generator {
    return new Generator().setState(this.state())
  }

  /** Everything needed to go on later: the 5 056 bytes that `torch.get_rng_state()` returns at the same point. */
  state(): Uint8Array {
    return encodeState(this.engine, this.seed, this.keptNormal)
  }

  /**
   * Goes on where `state()` was taken, here or in PyTorch.
   *
   * @throws {@link GeneratorStateError} when the bytes are no state; the generator is then unchanged.
   */
  setState(state: Uint8Array): this {
    const { seed, keptNormal } = decodeState(state, this.engine)
    this.seed = seed
    this.keptNormal = keptNormal
    return this
  }
}

/** Makes 16 uniform numbers normal, in their place: eight radii and eight angles. */
function toNormal(values: Float32Array, at: number, mean: number, std: number): void {
  const { fround } = Math
  for (let k = at; k < at + NORMAL_BLOCK / 2; k++) {
    const u1 = fround(1 - values[k]) // from (0, 1], so that the logarithm is finite
    const radius = fround(Math.sqrt(fround(-2 * fround(Math.log(u1)))))
    const angle = fround(fround(2 * Math.PI) * values[k + NORMAL_BLOCK / 2])
    values[k] = fround(fround(radius * fround(Math.cos(angle))) * std) + mean
    values[k + NORMAL_BLOCK / 2] = fround(fround(radius * fround(Math.sin(angle))) * std) + mean
  }
}

/** Refuses other arrays, whose draws are others in PyTorch; arrays of another realm count. */
function requireFloats(method: string, out: Float32Array): void {
  const kind = Object.prototype.toString.call(out).slice(8, -1)
  if (kind === 'Float32Array') return
  throw new RandomRangeError(`${method} got ${kind} to fill, expected a Float32Array`)
}
