/** What the addon exports; native/addon.c says what each does. The first argument is a place in `machines`. */
export interface Addon {
  /** Which sources it was built from. */
  readonly sources: string
  /** The instruction sets it was built for, the fastest first; empty names are those that this processor lacks. */
  readonly machines: readonly string[]
  layout(machine: number, numbers: Int32Array, isWeights: number, block?: Float32Array, offsets?: Float64Array): number
  pack(
    machine: number,
    numbers: Int32Array,
    block: Float32Array,
    weightIh: Float32Array,
    weightHh: Float32Array,
    biasIh: Float32Array | undefined,
    biasHh: Float32Array | undefined,
  ): void
  forward(
    machine: number,
    numbers: Int32Array,
    pass: Float32Array,
    weights: Float32Array,
    x: Float32Array,
    pool: number,
  ): void
  backward(
    machine: number,
    numbers: Int32Array,
    pass: Float32Array,
    weights: Float32Array,
    pool: number,
    collectPool: number,
    dOutput: Float32Array | undefined,
  ): void
  linear(machine: number, rows: number, inFeatures: number, outFeatures: number): number
  linear(
    machine: number,
    rows: number,
    inFeatures: number,
    outFeatures: number,
    x: Float32Array,
    weight: Float32Array,
    bias: Float32Array | undefined,
    y: Float32Array,
    scratch: Float32Array,
    pool: number,
  ): void
  linearGradients(
    machine: number,
    rows: number,
    inFeatures: number,
    outFeatures: number,
    dY: Float32Array,
    x: Float32Array,
    weight: Float32Array,
    dX: Float32Array,
    dWeight: Float32Array,
    dBias: Float32Array,
    scratch: Float32Array,
    pool: number,
  ): void
  adam(
    machine: number,
    theta: Float32Array,
    gradient: Float32Array,
    m: Float32Array,
    v: Float32Array,
    next: Float32Array,
    coefficients: Float32Array,
    pool: number,
  ): void
  softmax(
    machine: number,
    rows: number,
    classes: number,
    probabilities: Float32Array,
    logits: Float32Array,
    totals: Float64Array,
    pool: number,
  ): void
  softmaxGradient(
    machine: number,
    rows: number,
    classes: number,
    probabilities: Float32Array,
    targets: Int32Array,
    upstream: Float32Array,
    pool: number,
  ): void
  multiplyAdds(machine: number, rounds: number): number
  /** A pool of so many threads beside the calling one; −1 when there is no memory for it. */
  startThreads(count: number): number
  /** Threads of a pool that run, beside the calling one. */
  threads(pool: number): number
  /** The number of the system's error that kept the others from starting; 0 without one. */
  failure(pool: number): number
  stopThreads(pool: number): void
}
