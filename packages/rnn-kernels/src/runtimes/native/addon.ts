type F32 = Float32Array
/** The place of an instruction set in `machines`, and the sizes of a layer. */
type Linear = [machine: number, rows: number, inFeatures: number, outFeatures: number]
type Softmax = [machine: number, rows: number, classes: number, probabilities: F32]
/** A pass: the numbers of its job, its block and that of its weights. */
type Pass = [machine: number, numbers: Int32Array, pass: F32, weights: F32]

/** What the addon exports; native/addon.c says what each does. */
export interface Addon {
  /** Which sources it was built from. */
  readonly sources: string
  /** The instruction sets it was built for, the fastest first; empty names are those that this processor lacks. */
  readonly machines: readonly string[]
  layout(machine: number, numbers: Int32Array, isWeights: number, block?: F32, offsets?: Float64Array): number
  pack(machine: number, numbers: Int32Array, block: F32, ih: F32, hh: F32, biasIh?: F32, biasHh?: F32): void
  forward(...all: [...Pass, x: F32, pool: number]): void
  backward(...all: [...Pass, pool: number, collectPool: number, dOutput?: F32]): void
  linear(...all: Linear): number
  linear(...all: [...Linear, x: F32, weight: F32, bias: F32 | undefined, y: F32, scratch: F32, pool: number]): void
  linearGradients(
    ...all: [...Linear, dY: F32, x: F32, weight: F32, dX: F32, dWeight: F32, dBias: F32, scratch: F32, pool: number]
  ): void
  adam(
    machine: number,
    ...all: [theta: F32, gradient: F32, m: F32, v: F32, next: F32, numbers: F32, pool: number]
  ): void
  softmax(...all: [...Softmax, logits: F32, totals: Float64Array, pool: number]): void
  softmaxGradient(...all: [...Softmax, targets: Int32Array, upstream: F32, pool: number]): void
  multiplyAdds(machine: number, rounds: number): number
  /** A pool of so many threads beside the calling one; −1 when there is no memory for it. */
  startThreads(count: number): number
  /** Threads of a pool that run, beside the calling one. */
  threads(pool: number): number
  /** The number of the system's error that kept the others from starting; 0 without one. */
  failure(pool: number): number
  stopThreads(pool: number): void
}
