import type {
  ForwardInputs,
  ForwardOutputs,
  LinearGradients,
  LinearShape,
  LSTMEngine,
  LSTMGradients,
  LSTMShape,
  SavedForward,
  Upstream,
} from '../engine'
import { KernelStateError } from '../errors'
import * as field from '../job-fields'
import { MAX_THREADS, type Operation } from '../threads/control'
import { ThreadPool } from '../threads/pool'
import { Arena } from './arena'
import { LinearRoom } from './linear-room'
import { instantiate, type KernelExports, type KernelModule } from './module'
import { type PackedWeights, WeightsCache } from './weights-cache'
import type { Workspace } from './workspace'
import { WorkspacePool } from './workspace-pool'

/** Below so many multiply-adds a slice, waking a thread takes longer than it saves. */
const MIN_SLICE_WORK = 1 << 20
/** Bytes of scratch per thread: the sums of a block of rows and the constants of the activations, on cache lines of its own. */
const TILE_BYTES = 9216

/** Computes with the WebAssembly kernels, on one or more threads. */
export class WasmEngine implements LSTMEngine {
  readonly vectorBits: 128 | 256
  private readonly module: WebAssembly.Module
  private readonly arena: Arena
  private readonly kernels: KernelExports
  private readonly weights: WeightsCache
  private readonly workspaces: WorkspacePool
  private readonly linearRoom: LinearRoom
  private readonly packJob: number
  private readonly packWords: Int32Array
  private readonly tiles: number
  private pool: ThreadPool | null = null
  private disposed = false
  milliseconds = 0

  constructor(
    readonly path: 'simd' | 'relaxed-simd',
    { module, vectorBits }: KernelModule,
    readonly threads: number,
    private readonly onLoss: (reason: string) => void,
    private readonly onObstacle: (reason: string) => void = onLoss,
    maxPages?: number,
  ) {
    this.module = module
    this.vectorBits = vectorBits
    this.arena = new Arena(true, maxPages)
    this.kernels = instantiate(module, this.arena.memory)
    this.weights = new WeightsCache(this.arena)
    this.workspaces = new WorkspacePool(this.arena)
    this.linearRoom = new LinearRoom(this.arena)
    this.packJob = this.arena.allocate(4 * field.JOB_WORDS).at
    this.packWords = new Int32Array(this.arena.memory.buffer, this.packJob, field.JOB_WORDS)
    this.tiles = this.arena.allocate(TILE_BYTES * threads).at
  }

  /** Threads that really run, the calling one included; starts them. */
  get runningThreads(): number {
    if (this.threads === 1) return 1
    this.pool ??= this.startPool()
    return this.pool.running
  }

  /** Bytes of the kernels' memory in use. */
  get bytesUsed(): number {
    return this.arena.bytesUsed
  }

  /** Bytes that the kernels' memory has grown to. */
  get bytesReserved(): number {
    return this.arena.memory.buffer.byteLength
  }

  forward(shape: LSTMShape, inputs: ForwardInputs): ForwardOutputs {
    const { x, initial, save, returnOutput } = inputs
    const slices = this.slicesFor(shape, save)
    const packed = this.weights.get(inputs.weightsKey, shape.inputSize, shape.hiddenSize, inputs.weights, (entry) =>
      this.pack(entry),
    )
    const workspace = this.workspaces.take(shape, { save, returnOutput, hasInitial: initial !== undefined, slices })
    workspace.useWeights(packed)
    if (initial) {
      workspace.view('hInitial').set(initial.h)
      workspace.view('cInitial').set(initial.c)
    }
    this.run('forward', workspace, this.feedFrom(x, workspace))
    const outputs: ForwardOutputs = { h: workspace.view('hFinal'), c: workspace.view('cFinal') }
    if (returnOutput) outputs.output = workspace.view('output')
    if (save) outputs.saved = this.keep(workspace, packed)
    else this.workspaces.giveBack(workspace)
    return outputs
  }

  linear(shape: LinearShape, x: Float32Array, weight: Float32Array, bias: Float32Array | undefined): Float32Array {
    const { rows, inFeatures, outFeatures } = shape
    const { addresses: at, views } = this.linearRoom.for(shape)
    views.x.set(x)
    views.weight.set(weight)
    if (bias) views.bias.set(bias)
    const began = performance.now()
    this.kernels.linear(at.x, at.weight, bias ? at.bias : 0, at.y, rows, inFeatures, outFeatures)
    this.milliseconds += performance.now() - began
    return views.y
  }

  linearGradients(shape: LinearShape, dY: Float32Array, x: Float32Array, weight: Float32Array): LinearGradients {
    const { rows, inFeatures, outFeatures } = shape
    const { addresses: at, views } = this.linearRoom.for(shape)
    views.dY.set(dY)
    views.x.set(x)
    views.weight.set(weight)
    const { kernels } = this
    const began = performance.now()
    kernels.linearBackward(at.dY, at.x, at.weight, at.dX, at.dWeight, at.dBias, rows, inFeatures, outFeatures)
    this.milliseconds += performance.now() - began
    return { x: views.dX, weight: views.dWeight, bias: views.dBias }
  }

  /** Applies an activation to an array, in the kernels' arithmetic; for tests. */
  activate(which: 'sigmoid' | 'tanh', values: Float32Array): Float32Array {
    const block = this.arena.allocate(4 * values.length + 16)
    this.arena.floats.set(values, block.at >> 2)
    this.kernels.activate(which === 'sigmoid' ? 0 : 1, block.at, block.at, 4 * Math.ceil(values.length / 4))
    const result = this.arena.floats.slice(block.at >> 2, (block.at >> 2) + values.length)
    this.arena.release(block)
    return result
  }

  dispose(): void {
    this.disposed = true
    this.pool?.dispose()
    this.pool = null
  }

  private keep(workspace: Workspace, packed: PackedWeights): SavedForward {
    let state: 'forward' | 'backward' | 'released' = 'forward'
    packed.users += 1
    packed.trained = true
    return {
      backward: (upstream, { byInputs = false, byInitial = false } = {}) => {
        if (state !== 'forward')
          throw new KernelStateError(`a forward pass can be differentiated once, this one is ${state}`)
        state = 'backward'
        return this.backward(workspace, upstream, byInputs, byInitial && workspace.shape.hasInitial)
      },
      release: () => {
        if (state === 'released') return
        state = 'released'
        packed.users -= 1
        this.workspaces.giveBack(workspace)
      },
    }
  }

  private backward(
    workspace: Workspace,
    { output, h, c }: Upstream,
    byInputs: boolean,
    byInitial: boolean,
  ): LSTMGradients {
    workspace.writeUpstream('dOutput', output)
    workspace.writeUpstream('dHFinal', h)
    workspace.writeUpstream('dCFinal', c)
    workspace.wantInputGradient(byInputs)
    workspace.wantInitialGradients(byInitial)
    this.run('backward', workspace)
    workspace.collectIntoGradients()
    const began = performance.now()
    this.kernels.collectWeightGradients(workspace.job)
    this.milliseconds += performance.now() - began
    return {
      weightIh: workspace.view('dWeightIh'),
      weightHh: workspace.view('dWeightHh'),
      bias: workspace.view('dBias'),
      ...(byInputs && { x: workspace.viewInputGradient() }),
      ...(byInitial && { h: workspace.view('dHInitial'), c: workspace.view('dCInitial') }),
    }
  }

  private pack(entry: PackedWeights): void {
    const words = this.packWords
    words[field.INPUT] = entry.inputSize
    words[field.HIDDEN] = entry.hiddenSize
    words[field.RAW_WEIGHT_IH] = entry.weightIh
    words[field.RAW_WEIGHT_HH] = entry.weightHh
    words[field.RAW_BIAS_IH] = entry.biasIh
    words[field.RAW_BIAS_HH] = entry.biasHh
    words[field.WEIGHTS] = entry.forward
    words[field.BIAS] = entry.bias
    words[field.WEIGHTS_HH_T] = entry.hhTransposed
    words[field.WEIGHTS_IH_T] = entry.ihTransposed
    const began = performance.now()
    this.kernels.packForward(this.packJob)
    this.kernels.packBackward(this.packJob)
    this.milliseconds += performance.now() - began
  }

  /**
   * How many slices a batch is cut into: by the shape and the thread count alone, so that runs can be repeated. A large batch that is not to
   * be differentiated, whose numbers are the same however it is cut, goes block by block to the thread that is free.
   */
  private slicesFor({ batch, time, inputSize, hiddenSize }: LSTMShape, save: boolean): number {
    const work = batch * time * 4 * hiddenSize * (inputSize + hiddenSize)
    const slices = Math.max(1, Math.min(this.threads, Math.floor(work / MIN_SLICE_WORK), Math.floor(batch / 2)))
    if (save || slices < this.threads || slices === 1) return slices
    return Math.max(slices, Math.min(MAX_THREADS, Math.ceil(batch / field.ROW_BLOCK)))
  }

  private run(operation: Operation, { job, shape }: Workspace, feed?: (begin: number, end: number) => void): void {
    const began = performance.now()
    const { kernels, tiles } = this
    if (shape.slices > 1) {
      this.pool ??= this.startPool()
      this.pool.run(operation, job, shape.batch, shape.slices, feed)
    } else if (feed === undefined) kernels.backward(job, 0, shape.batch, 0, tiles)
    else {
      for (let begin = 0; begin < shape.batch; begin += field.ROW_BLOCK) {
        const end = Math.min(begin + field.ROW_BLOCK, shape.batch)
        feed(begin, end)
        kernels.forward(job, begin, end, 0, tiles)
      }
    }
    this.milliseconds += performance.now() - began
  }

  /** Copies rows in when they are wanted: the first are computed while the others are copied, or before. That time is not the kernels'. */
  private feedFrom(x: Float32Array, workspace: Workspace): (begin: number, end: number) => void {
    return (begin, end) => {
      const began = performance.now()
      workspace.writeRows(x, begin, end)
      this.milliseconds -= performance.now() - began
    }
  }

  private startPool(): ThreadPool {
    const { module, kernels, arena } = this
    const tile = (thread: number): number => this.tiles + TILE_BYTES * thread
    const context = { module, kernels, memory: arena.memory, tile }
    // A pass that was saved before the engine was replaced may still be differentiated, on this thread alone.
    return new ThreadPool(context, this.disposed ? 0 : this.threads - 1, this.onLoss, this.onObstacle)
  }
}
