import type {
  AdamSlot,
  LinearOps,
  LinearShape,
  LossOps,
  OptimizerOps,
  RecurrentShape,
  RecurrentWeights,
} from '../../runtime'
import type { ThreadNotes } from '../compiled/compiled-runtime'
import type { Job, JobNumbers, KernelClock, Machine, Pass } from '../compiled/machine'
import { isSharedLinear, isSharedLoop } from '../compiled/partition'
import type { Addon } from './addon'
import { NativeJob } from './native-job'

/** No pool: the calling thread alone. */
const ALONE = -1

/** Runs the kernels as native code, with the addon's own threads, on arrays where they are. */
export class NativeMachine implements Machine {
  readonly linear: LinearOps = {
    forward: (shape, x, weight, bias, y) => {
      const { rows, inFeatures, outFeatures } = shape
      const { addon, machine } = this
      const pool = this.readyLinear(shape)
      this.clock.time(() =>
        addon.linear(machine, rows, inFeatures, outFeatures, x, weight, bias, y, this.scratch, pool),
      )
    },
    gradients: (shape, dY, x, weight, { x: dX, weight: dWeight, bias }) => {
      const sizes = [this.machine, shape.rows, shape.inFeatures, shape.outFeatures] as const
      const pool = this.readyLinear(shape)
      this.clock.time(() => this.addon.linearGradients(...sizes, dY, x, weight, dX, dWeight, bias, this.scratch, pool))
    },
  }
  readonly losses: LossOps = {
    softmax: (logits, classes, probabilities) => {
      const rows = logits.length / classes
      if (this.totals.length < 2 * rows) this.totals = new Float64Array(2 * rows)
      const { addon, machine, totals } = this
      const pool = this.poolFor(isSharedLoop(logits.length))
      this.clock.time(() => addon.softmax(machine, rows, classes, probabilities, logits, totals, pool))
      return totals
    },
    softmaxGradient: (probabilities, classes, targets, upstream) => {
      const { addon, machine } = this
      const pool = this.poolFor(isSharedLoop(probabilities.length))
      const rows = targets.length
      this.clock.time(() => addon.softmaxGradient(machine, rows, classes, probabilities, targets, upstream, pool))
    },
  }
  readonly optimize: OptimizerOps = { adam: (sizes) => sizes.map((size) => this.adamSlot(size)) }
  /** Of the linear layers: as much as the largest one so far needs, on every thread. */
  private scratch = new Float32Array(0)
  /** What the softmax returns. */
  private totals = new Float64Array(0)
  private pool: number | null = null
  private disposed = false

  /** @param machine place of the instruction set in `addon.machines` */
  constructor(
    private readonly addon: Addon,
    private readonly machine: number,
    private readonly mostThreads: number,
    private readonly notes: ThreadNotes,
    private readonly clock: KernelClock,
  ) {}

  newJob(kind: 'pass' | 'weights', numbers: JobNumbers): Job {
    return new NativeJob(this.addon, this.machine, kind, numbers)
  }

  pack(weights: Job, _shape: RecurrentShape, { weightIh, weightHh, biasIh, biasHh }: RecurrentWeights): void {
    const { numbers, block } = weights as NativeJob
    this.clock.time(() => this.addon.pack(this.machine, numbers, block, weightIh, weightHh, biasIh, biasHh))
  }

  forward(pass: Pass, x: Float32Array, together: boolean): void {
    const [job, weights] = [pass.job as NativeJob, pass.weights as NativeJob]
    const pool = this.poolFor(together)
    this.clock.time(() => this.addon.forward(this.machine, job.numbers, job.block, weights.block, x, pool))
  }

  backward(pass: Pass, dOutput: Float32Array | undefined, together: boolean, collectTogether: boolean): void {
    const [job, weights] = [pass.job as NativeJob, pass.weights as NativeJob]
    const [pool, collectPool] = [together, collectTogether].map((is) => this.poolFor(is))
    this.clock.time(() =>
      this.addon.backward(this.machine, job.numbers, job.block, weights.block, pool, collectPool, dOutput),
    )
  }

  threads(): number {
    const pool = this.poolFor(true)
    return pool === ALONE ? 1 : 1 + this.addon.threads(pool)
  }

  multiplyAdds(rounds: number): number {
    return this.addon.multiplyAdds(this.machine, rounds)
  }

  dispose(): void {
    this.disposed = true
    if (this.pool !== null && this.pool !== ALONE) this.addon.stopThreads(this.pool)
    this.pool = null
  }

  /** Makes scratch for a layer, and returns the pool for it. */
  private readyLinear(shape: LinearShape): number {
    const { rows, inFeatures, outFeatures } = shape
    const together = this.mostThreads > 1 && isSharedLinear(shape)
    const threads = together ? this.mostThreads : 1
    const wanted = threads * this.addon.linear(this.machine, rows, inFeatures, outFeatures)
    if (this.scratch.length < wanted) this.scratch = new Float32Array(wanted)
    return this.poolFor(together)
  }

  private adamSlot(size: number): AdamSlot {
    const { addon, machine, clock } = this
    const [m, v, numbers] = [size, size, 8].map((length) => new Float32Array(length))
    return {
      m,
      v,
      update: (theta, gradient, next, c) => {
        numbers.set([c.beta1, c.beta2, c.oneMinusBeta1, c.oneMinusBeta2])
        numbers.set([c.stepSize, c.rootCorrection, c.eps, c.weightDecay], 4)
        const pool = this.poolFor(isSharedLoop(size))
        clock.time(() => addon.adam(machine, theta, gradient, m, v, next, numbers, pool))
      },
    }
  }

  /** A pass that was saved before the runtime was replaced may still be differentiated, on this thread alone. */
  private poolFor(together: boolean): number {
    if (!together || this.disposed || this.mostThreads === 1) return ALONE
    if (this.pool !== null) return this.pool
    const pool = this.addon.startThreads(this.mostThreads - 1)
    this.pool = pool
    if (pool === ALONE) this.notes.onObstacle('there is no memory for more')
    else if (this.addon.threads(pool) < this.mostThreads - 1) {
      this.notes.onObstacle(
        `the system starts no more (error ${this.addon.failure(pool)}; see its limits on processes and memory)`,
      )
    }
    return pool
  }
}
