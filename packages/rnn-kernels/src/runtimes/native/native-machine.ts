import type { LossOps, OptimizerOps, RecurrentShape, RecurrentWeights } from '../../runtime'
import type { ThreadNotes } from '../compiled/compiled-runtime'
import type { Job, JobNumbers, KernelClock, Machine, Pass } from '../compiled/machine'
import { nativeAdam } from './adam'
import type { Addon } from './addon'
import { NativeLinear } from './linear'
import { nativeLosses } from './losses'
import { NativeJob } from './native-job'

/** No pool: the calling thread alone. */
const ALONE = -1

/** Runs the kernels as native code, with the addon's own threads. */
export class NativeMachine implements Machine {
  readonly linear: NativeLinear
  readonly losses: LossOps
  readonly optimize: OptimizerOps
  private pool: number | null = null
  private disposed = false

  /** @param machine place of the instruction set in `addon.machines` */
  constructor(
    private readonly addon: Addon,
    private readonly machine: number,
    private readonly mostThreads: number,
    private readonly notes: ThreadNotes,
    private readonly clock: KernelClock,
  ) {
    const poolFor = (together: boolean): number => this.poolFor(together)
    this.linear = new NativeLinear(addon, machine, clock, mostThreads, poolFor)
    this.losses = nativeLosses(addon, machine, clock, poolFor)
    this.optimize = { adam: (sizes) => nativeAdam(addon, machine, sizes, clock, poolFor) }
  }

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
