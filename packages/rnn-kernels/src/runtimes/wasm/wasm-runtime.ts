import { KernelStateError } from '../../errors'
import { COLLECT_PARTS } from '../../generated/job'
import type {
  RecurrentGradients,
  RecurrentInputs,
  RecurrentOps,
  RecurrentOutputs,
  RecurrentShape,
  Runtime,
  RuntimeReport,
  SavedPass,
  Upstream,
  WantedGradients,
} from '../../runtime'
import { Arena } from './arena'
import { WasmLinear } from './linear'
import { instantiate, type KernelExports } from './module'
import { isCollectedTogether, predictionSlices, sliceBegin, trainingSlices } from './partition'
import type { Operation } from './threads/control'
import { ThreadPool } from './threads/pool'
import { type PackedWeights, WeightsCache } from './weights-cache'
import type { Workspace } from './workspace'
import { WorkspacePool } from './workspace-pool'

/** The getter of the global takes as long as a small kernel. */
const clock = globalThis.performance

/** As `stack-size` in build-wasm.mjs. */
const STACK_BYTES = 16384

/** Who is told about threads. */
export interface ThreadNotes {
  /** A thread that ran is gone. */
  onLoss(reason: string): void
  /** A thread does not start. */
  onObstacle(reason: string): void
}

/** Computes with the WebAssembly kernels, on one or more threads. */
export class WasmRuntime implements Runtime {
  readonly recurrent: RecurrentOps = { forward: (shape, inputs) => this.forward(shape, inputs) }
  readonly linear: WasmLinear
  private readonly arena: Arena
  private readonly kernels: KernelExports
  private readonly weights: WeightsCache
  private readonly workspaces: WorkspacePool
  private readonly stacks: number
  private pool: ThreadPool | null = null
  private disposed = false
  private milliseconds = 0

  constructor(
    readonly name: 'simd' | 'relaxed-simd',
    private readonly module: WebAssembly.Module,
    private readonly threads: number,
    private readonly notes: ThreadNotes,
    maxPages?: number,
  ) {
    this.arena = new Arena(true, maxPages)
    this.kernels = instantiate(module, this.arena.memory)
    this.weights = new WeightsCache(this.arena, this.kernels)
    this.workspaces = new WorkspacePool(this.arena, this.kernels)
    this.linear = new WasmLinear(this.arena, this.kernels, (work) => this.timed(work))
    this.stacks = this.arena.allocate(STACK_BYTES * threads).at
  }

  report(): RuntimeReport {
    if (this.threads > 1) this.pool ??= this.startPool()
    return { threads: this.pool?.running ?? 1, milliseconds: this.milliseconds }
  }

  dispose(): void {
    this.disposed = true
    this.pool?.dispose()
    this.pool = null
  }

  private forward(shape: RecurrentShape, inputs: RecurrentInputs): RecurrentOutputs {
    const { x, initial, lengths, save, returnOutput } = inputs
    const { threads } = this
    const packed = this.packedWeights(shape, inputs)
    const slices = save ? trainingSlices(shape) : predictionSlices(shape, threads)
    const workspace = this.workspaces.take(shape, {
      save,
      wantsOutput: returnOutput,
      hasInitial: initial !== undefined,
      hasLengths: lengths !== undefined,
      slices,
      threads,
    })
    workspace.useWeights(packed)
    if (initial) workspace.writeInitial(initial)
    if (lengths) {
      workspace.writeLengths(lengths)
      workspace.writeRows(x, 0, shape.batch)
    }
    // Rows are copied in while the first slices are computed. That time is not the kernels'.
    const copied = (slice: number): void => {
      const began = clock.now()
      workspace.writeRows(x, sliceBegin(shape.batch, slices, slice), sliceBegin(shape.batch, slices, slice + 1))
      this.milliseconds -= clock.now() - began
    }
    this.run('forward', workspace, slices, slices > 1, lengths ? undefined : copied)
    const outputs: RecurrentOutputs = workspace.final
    if (returnOutput) outputs.output = workspace.output
    if (save) outputs.saved = this.keep(workspace, packed)
    else this.workspaces.giveBack(workspace)
    return outputs
  }

  private packedWeights(shape: RecurrentShape, { version, weights }: RecurrentInputs): PackedWeights {
    const began = clock.now()
    const packed = this.weights.get(shape, version, weights)
    this.milliseconds += clock.now() - began
    return packed
  }

  private keep(workspace: Workspace, packed: PackedWeights): SavedPass {
    let released = false
    packed.users += 1
    packed.trained = true
    return {
      backward: (upstream, wanted = {}) => {
        if (released) throw new KernelStateError('the forward pass of this gradient was released')
        return this.backward(workspace, packed, upstream, wanted)
      },
      release: () => {
        if (released) return
        released = true
        packed.users -= 1
        this.workspaces.giveBack(workspace)
      },
    }
  }

  private backward(
    workspace: Workspace,
    packed: PackedWeights,
    upstream: Upstream,
    wanted: WantedGradients,
  ): RecurrentGradients {
    const { hasInitial, slices } = workspace.use
    const computed = { x: wanted.x, initial: wanted.initial && hasInitial }
    workspace.useWeights(packed)
    workspace.writeUpstream(upstream)
    workspace.want(computed)
    this.run('backward', workspace, slices, slices > 1)
    this.run('collect', workspace, COLLECT_PARTS, isCollectedTogether(workspace.shape, slices))
    return workspace.gradients(computed)
  }

  /** Runs a kernel on all slices of a job, on all threads or on this one. */
  private run(
    operation: Operation,
    { job }: Workspace,
    slices: number,
    together: boolean,
    feed?: (slice: number) => void,
  ): void {
    this.timed(() => {
      if (together && this.threads > 1) {
        this.pool ??= this.startPool()
        this.pool.run(operation, job.at, slices, feed)
        return
      }
      for (let slice = 0; slice < slices; slice++) {
        feed?.(slice)
        this.kernels[operation](job.at, slice, 0)
      }
    })
  }

  private timed(work: () => void): void {
    const began = clock.now()
    work()
    this.milliseconds += clock.now() - began
  }

  private startPool(): ThreadPool {
    const { module, kernels, arena, notes } = this
    const stack = (thread: number): number => this.stacks + STACK_BYTES * (thread + 1)
    const context = { module, kernels, memory: arena.memory, stack }
    // A pass that was saved before the runtime was replaced may still be differentiated, on this thread alone.
    return new ThreadPool(context, this.disposed ? 0 : this.threads - 1, notes.onLoss, notes.onObstacle)
  }
}
