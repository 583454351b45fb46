import { KernelStateError } from '../../errors'
import type {
  LinearOps,
  Lookup,
  LossOps,
  OptimizerOps,
  RecurrentGradients,
  RecurrentInputs,
  RecurrentOps,
  RecurrentOutputs,
  RecurrentShape,
  Runtime,
  RuntimeName,
  RuntimeReport,
  SavedPass,
  Upstream,
  WantedGradients,
} from '../../runtime'
import { InputTable } from './input-table'
import type { KernelClock, Machine, Pass } from './machine'
import { isCollectedTogether, predictionSlices, sharesOf, trainingSlices } from './partition'
import { type PackedWeights, WeightsCache } from './weights-cache'
import type { Workspace } from './workspace'
import { WorkspacePool } from './workspace-pool'

const NOTHING = new Float32Array(0)

/** The getter of the global takes as long as a small kernel. */
const now = globalThis.performance.now.bind(globalThis.performance)

/** Who is told about threads. */
export interface ThreadNotes {
  /** A thread that ran is gone. */
  onLoss(reason: string): void
  /** A thread does not start. */
  onObstacle(reason: string): void
}

/** Computes with the compiled kernels, on one or more threads. */
export class CompiledRuntime implements Runtime {
  readonly recurrent: RecurrentOps = { forward: (shape, inputs) => this.forward(shape, inputs) }
  readonly linear: LinearOps
  readonly optimize: OptimizerOps
  readonly losses: LossOps
  private readonly machine: Machine
  private readonly weights: WeightsCache
  private readonly workspaces: WorkspacePool
  private milliseconds = 0

  /** @param make the machine, which measures with this clock */
  constructor(
    readonly name: RuntimeName,
    private readonly threads: number,
    make: (clock: KernelClock) => Machine,
    readonly instructions?: string,
  ) {
    const time = (work: () => void): void => {
      const began = now()
      work()
      this.milliseconds += now() - began
    }
    const pause = (work: () => void): void => {
      const began = now()
      work()
      this.milliseconds -= now() - began
    }
    this.machine = make({ time, pause })
    this.linear = this.machine.linear
    this.optimize = this.machine.optimize
    this.losses = this.machine.losses
    this.weights = new WeightsCache(this.machine)
    this.workspaces = new WorkspacePool(this.machine)
  }

  report(): RuntimeReport {
    return { threads: this.machine.threads(), milliseconds: this.milliseconds }
  }

  multiplyAdds(rounds: number): number {
    return this.machine.multiplyAdds(rounds)
  }

  dispose(): void {
    this.machine.dispose()
  }

  private forward(shape: RecurrentShape, inputs: RecurrentInputs): RecurrentOutputs {
    const { x, version, weights, initial, lengths, save, returnOutput } = inputs
    const { threads } = this
    const table = isLookup(x) ? new InputTable(this.linear, shape, x, lengths, weights().weightIh) : undefined
    const read = table ? { ...shape, inputSize: 0 } : shape
    const packed = this.weights.get(read, version, table ? () => ({ ...weights(), weightIh: NOTHING }) : weights)
    const cut = save ? trainingSlices(shape) : 1
    const shares = cut > 1 ? 0 : sharesOf(shape, threads)
    const slices = save || shares > 0 ? cut : predictionSlices(shape, threads)
    const workspace = this.workspaces.take(read, {
      save,
      wantsOutput: returnOutput,
      hasInitial: initial !== undefined,
      hasLengths: lengths !== undefined,
      vocabulary: table?.vocabulary ?? 0,
      slices,
      shares,
      threads,
    })
    if (initial) workspace.writeInitial(initial)
    if (lengths) workspace.writeLengths(lengths)
    if (isLookup(x)) workspace.writeTokens(x.tokens)
    try {
      table?.writeTo(workspace.table('table'))
    } catch (error) {
      this.workspaces.giveBack(workspace)
      throw error
    }
    this.machine.forward(
      passOf(workspace, packed),
      isLookup(x) ? NOTHING : x,
      Math.max(slices, shares) > 1 && threads > 1,
    )
    const outputs: RecurrentOutputs = workspace.final
    if (returnOutput) outputs.output = workspace.output
    if (save) outputs.saved = this.keep(workspace, packed, table)
    else this.workspaces.giveBack(workspace)
    return outputs
  }

  private keep(workspace: Workspace, packed: PackedWeights, table: InputTable | undefined): SavedPass {
    let released = false
    packed.users += 1
    packed.trained = true
    return {
      backward: (upstream, wanted = {}) => {
        if (released) throw new KernelStateError('the forward pass of this gradient was released')
        const gradients = this.backward(workspace, packed, upstream, table ? { ...wanted, x: false } : wanted)
        return table ? { ...gradients, ...table.gradients(workspace.table('dTable'), wanted.x) } : gradients
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
    const { hasInitial, slices, vocabulary } = workspace.use
    const computed = { x: wanted.x, initial: wanted.initial && hasInitial }
    workspace.writeUpstream(upstream, computed)
    const together = this.threads > 1
    this.machine.backward(
      passOf(workspace, packed),
      upstream.output,
      together && slices > 1,
      together && isCollectedTogether(workspace.shape, slices, vocabulary),
    )
    return workspace.gradients(computed)
  }
}

function isLookup(x: Float32Array | Lookup): x is Lookup {
  return 'tokens' in x
}

function passOf({ job, shape, use }: Workspace, packed: PackedWeights): Pass {
  return { job, weights: packed.job, shape, use }
}
