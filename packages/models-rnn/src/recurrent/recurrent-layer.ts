import { refuseUnknownOptions } from '@rowwise/errors'
import { copiedTensor, hostTensor, readValues } from '@rowwise/host-values'
import { type Cell, canFuse, type GateActivation, hasCellState, type LookupInputs } from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import {
  slice,
  squeeze,
  stack,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tidy,
} from '@tensorflow/tfjs-core'
import { requireLengths, requireShape, requireTensor, requireTensors } from '../check-tensor'
import { classNameOf } from '../class-name'
import { bringToCurrentBackend } from '../current-backend'
import { ModuleOptionError, ShapeError } from '../errors'
import { Layer, type LayerContext, type LayerVJP, requireVJPOptions, type VJPOptions } from '../layer'
import { dropoutRate, flag, GENERATOR, integer, oneOf, type Rule, type Rules, readOptions } from '../options'
import { allocate, requireAllocatable } from '../parameter-sizes'
import { passOf } from '../pass'
import { reshapeHint } from '../reshape-hint'
import type { LayerSummary } from '../summary'
import { compose, type Direction, type DirectionState, type Picked } from './compose'
import { describeRecurrent } from './describe'
import { directionsOf, recurrentParameters, WEIGHTS } from './parameters'
import { TAPE } from './tape'
import { Trace, Traced } from './trace'

/** How a recurrent layer is built. */
export interface RecurrentLayerOptions {
  /** Features of each time step. */
  inputSize: number
  /** Features of the hidden state. */
  hiddenSize: number
  /** Layers, each reading the outputs of the one before. @default 1 */
  numLayers?: number
  /** Learn two additive biases per layer and direction. @default true */
  bias?: boolean
  /** Read the sequence in both directions and concatenate the outputs. @default false */
  bidirectional?: boolean
  /** Probability of zeroing an output between two layers, in training only. @default 0 */
  dropout?: number
  /** Draws the initial weights and the dropout masks. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/** The state of every layer and direction before the first step. D is 2 when bidirectional, else 1. */
export interface HiddenState {
  /** The hidden state, float32 `[numLayers·D, N, H]`. */
  h: Tensor
}

/** What a recurrent layer hands back; the caller disposes the tensors. D is 2 when bidirectional, else 1. */
export interface RecurrentLayerOutputs {
  /** The last layer's hidden state of every step, `[N, T, D·H]`, zero past a row's length. */
  output: Tensor3D
  /** The hidden state of every layer and direction after each row's last step, `[numLayers·D, N, H]`: PyTorch's `h_n`. */
  hn: Tensor3D
}

/** What a recurrent layer is told beside its inputs. */
export interface RecurrentContext<State> {
  /** Steps of each row, `[N]`, where rows are padded to a common length: integers, or an int32 tensor of them. */
  lengths?: ArrayLike<number> | Tensor1D | undefined
  /** The state before the first step; zeros when absent. */
  initial?: State | undefined
}

/**
 * Layers of one cell, after `torch.nn.RNNBase` with `batch_first=True`: parameter names and layout, initial values from the same
 * generator, and numbers are PyTorch's. The base of {@link LSTM}, {@link GRU} and {@link RNN}.
 */
export abstract class RecurrentLayer<
  State extends HiddenState = HiddenState,
  Outputs extends RecurrentLayerOutputs = RecurrentLayerOutputs,
> extends Layer {
  /** Features of each time step. */
  readonly inputSize: number
  /** Features of the hidden state. */
  readonly hiddenSize: number
  /** How many layers there are. */
  readonly numLayers: number
  /** Whether there are biases. */
  readonly bias: boolean
  /** Whether the sequence is read in both directions. */
  readonly bidirectional: boolean
  /** Probability of zeroing an output between two layers. */
  readonly dropout: number
  /** Features that an LSTM's hidden state is projected to; 0 without projections. */
  readonly projSize: number
  /** The activation of the gates. */
  readonly gateActivation: GateActivation
  private readonly generator: Generator
  private readonly layers: readonly (readonly Direction[])[]

  /**
   * @param own what the options that only this cell has may be, by name
   * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
   */
  protected constructor(
    /** The cell, as the kernels name it. */
    readonly cell: Cell,
    options: RecurrentLayerOptions & { projSize?: number; gateActivation?: GateActivation },
    own: object = {},
  ) {
    super()
    const owner = classNameOf(this)
    const read = readOptions(owner, options, { ...RULES, ...(own as Readonly<Record<string, Rule<unknown>>>) })
    const { inputSize, hiddenSize, numLayers, bias, bidirectional, dropout, generator } = read
    const { projSize = 0, gateActivation = 'sigmoid' } = read as { projSize?: number; gateActivation?: GateActivation }
    if (projSize >= hiddenSize) {
      throw new ModuleOptionError(`${owner}: projSize is ${projSize}, expected less than hiddenSize, ${hiddenSize}`)
    }
    const sizes = recurrentParameters(owner, cell, { inputSize, hiddenSize, numLayers, bias, bidirectional, projSize })
    requireAllocatable(owner, sizes)
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.numLayers = numLayers
    this.bias = bias
    this.bidirectional = bidirectional
    this.dropout = dropout
    this.projSize = projSize
    this.gateActivation = gateActivation
    this.generator = generator
    const bound = 1 / Math.sqrt(hiddenSize)
    const drawn = new Map(
      Object.entries(sizes).map(([name, size]) => {
        const values = generator.uniform(allocate(owner, name, size), -bound, bound)
        return [name, this.registerParameter(name, values, size.shape)]
      }),
    )
    this.layers = Array.from({ length: numLayers }, (_, layer) =>
      directionsOf(bidirectional).map((direction) => {
        const named = WEIGHTS.flatMap(([key, prefix]) => {
          const name = `${prefix}_l${layer}${direction}`
          const weight = drawn.get(name)
          return weight ? [{ key, name, weight }] : []
        })
        const weights = Object.fromEntries(named.map(({ key, weight }) => [key, weight])) as Direction['weights']
        return { named, weights }
      }),
    )
  }

  /** Features of each step of the output: `hiddenSize`, or `projSize` with projections; twice that when bidirectional. */
  get outputSize(): number {
    return (this.projSize || this.hiddenSize) * (this.bidirectional ? 2 : 1)
  }

  /**
   * @param inputs float32 `[N, T, inputSize]`
   * @param context `lengths`, the steps of each row, `[N]`; `initial`, the state before the first step
   * @returns `output`, `hn` and, of an LSTM, `cn`, which the caller disposes
   * @throws {@link TensorError} when the inputs or a state is not a live float32 tensor, {@link ShapeError} when a shape does not
   * fit, {@link LengthsError} when lengths do not, {@link ModuleDisposedError} when the layer was disposed.
   */
  forward(inputs: Tensor, context: RecurrentContext<State> = {}): Outputs {
    refuseUnknownOptions(`${this.label()}.forward`, context, { lengths: true, initial: true }, ModuleOptionError)
    const lengths = this.prepare(inputs, context)
    return tidy(() => {
      const initial = context.initial && this.statesOf(context.initial)
      const { value, finals } = compose<Tensor>(TAPE, inputs, { ...this.spec('output', lengths), initial })
      const hn = stack(finals.map(({ h }) => h))
      const cn = hasCellState(this.cell) && stack(finals.map(({ c }) => c as Tensor))
      return { output: value, hn, ...(cn && { cn }) }
    }) as unknown as Outputs
  }

  /** As {@link Layer.vjp}: its value is `output`. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    const lengths = this.prepare(inputs, options)
    return this.hasPullback() ? this.pass(inputs as Tensor3D, 'output', lengths, options) : undefined
  }

  /** Whether {@link RecurrentLayer.vjp} can compute right now: the fused kernels must be there, and no projection. */
  override hasPullback(): boolean {
    return super.hasPullback() && canFuse() && this.projSize === 0
  }

  /**
   * The layer together with the one after it that takes one state of each row. For `Sequential`.
   *
   * @internal
   */
  picked(picked: Picked): Pick<Layer, 'forward' | 'vjp' | 'isFrozen'> {
    const layer = this
    return {
      get isFrozen() {
        return layer.isFrozen
      },
      forward: (inputs: Tensor3D, context: LayerContext = {}): Tensor => {
        const lengths = this.prepare(inputs, context)
        return tidy(() => compose(TAPE, inputs as Tensor, this.spec(picked, lengths)).value)
      },
      vjp: (inputs: Tensor3D, options: VJPOptions = {}) =>
        this.pass(inputs, picked, this.prepare(inputs, options), options),
    }
  }

  /**
   * A pass that reads rows of a matrix. Its gradient with respect to the inputs is the one with respect to that matrix. For `Sequential`.
   *
   * @param shape of the inputs, `[N, T, inputSize]`
   * @internal
   */
  passOverRows(lookup: LookupInputs, shape: readonly number[], picked: Picked, options: VJPOptions): LayerVJP {
    this.requireUsable()
    const { lengths } = options
    const steps = lengths && requireLengths(lengths, shape[0], shape[1])
    return this.pass(lookup, picked, steps, options, shape)
  }

  protected override summaryOfLayer(): LayerSummary {
    const computedBy = this.projSize === 0 ? describeRecurrent() : 'composed graph'
    return { shapes: `[N, T, ${this.inputSize}] -> [N, T, ${this.outputSize}]`, computedBy }
  }

  private pass(
    inputs: Tensor3D | LookupInputs,
    picked: Picked,
    lengths: Int32Array | undefined,
    { inputGradient = false }: VJPOptions,
    shape: readonly number[] = (inputs as Tensor3D).shape,
  ): LayerVJP {
    const trace = new Trace()
    try {
      const read = new Traced(inputs, shape, inputGradient)
      const gradientShape = [...('tokens' in inputs ? inputs.vectors.shape : shape)]
      const { value: found } = compose(trace, read, this.spec(picked, lengths))
      const value = hostTensor(found.values, [...found.shape])
      return passOf(() => this.label(), {
        value,
        pullback(gradient) {
          found.receive(readValues(gradient))
          const parameters = Object.fromEntries(trace.pullBack())
          return { parameters, ...(read.gradient && { inputs: copiedTensor(read.gradient, gradientShape) }) }
        },
        release() {
          value.dispose()
          trace.release()
        },
      })
    } catch (error) {
      trace.release()
      throw error
    }
  }

  private spec(picked: Picked, lengths: Int32Array | undefined) {
    const { cell, gateActivation, layers, generator } = this
    const dropout = this.training ? this.dropout : 0
    return { cell, gateActivation, layers, dropout, generator, lengths, initial: undefined, picked }
  }

  /** The state of each layer and direction by itself. */
  private statesOf(initial: HiddenState & { c?: Tensor }): DirectionState<Tensor>[] {
    const pick = (state: Tensor, at: number): Tensor2D => squeeze(slice(state, [at, 0, 0], [1, -1, -1]), [0])
    return Array.from({ length: initial.h.shape[0] }, (_, at) => ({
      h: pick(initial.h, at),
      ...(initial.c && { c: pick(initial.c, at) }),
    }))
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. Gives the lengths back. */
  private prepare(inputs: Tensor, { lengths, initial }: RecurrentContext<State>): Int32Array | undefined {
    this.requireUsable()
    const owner = (): string => this.label(`inputSize ${this.inputSize}`)
    requireTensor(() => `inputs of ${owner()}`, inputs)
    const { shape } = inputs
    if (shape.length !== 3 || shape[2] !== this.inputSize || inputs.size === 0) {
      throw new ShapeError(
        `inputs has shape [${shape}], ${owner()} expects [batch, time, ${this.inputSize}], ` +
          `none of them 0${reshapeHint(shape, this.inputSize)}`,
      )
    }
    const states = initial === undefined ? [] : this.checkInitial(initial, shape[0])
    bringToCurrentBackend('inputs', inputs)
    for (const [name, state] of states) bringToCurrentBackend(`initial.${name}`, state)
    return lengths === undefined ? undefined : requireLengths(lengths, shape[0], shape[1])
  }

  private checkInitial(initial: State, batch: number): [string, Tensor][] {
    const sizes = {
      h: this.projSize || this.hiddenSize,
      ...(hasCellState(this.cell) && { c: this.hiddenSize }),
    }
    const names = Object.fromEntries(Object.keys(sizes).map((name) => [name, true as const]))
    requireTensors('initial', initial, `{ ${Object.keys(sizes).join(', ')} }`)
    refuseUnknownOptions<object>('initial', initial, names, ModuleOptionError)
    const count = this.numLayers * (this.bidirectional ? 2 : 1)
    return Object.entries(sizes).map(([name, size]) => {
      const state = (initial as unknown as Record<string, Tensor>)[name]
      requireTensor(`initial.${name}`, state)
      requireShape(`initial.${name}`, state, [count, batch, size], '[layers·D, batch, H]')
      return [name, state]
    })
  }
}

const RULES = {
  ...{ inputSize: integer(1), hiddenSize: integer(1), numLayers: integer(1, 1), bias: flag(true) },
  ...{ bidirectional: flag(false), dropout: dropoutRate(0), generator: GENERATOR },
} satisfies Rules<RecurrentLayerOptions>

/** The activation of an LSTM's or a GRU's gates. */
export const GATE_ACTIVATION = oneOf<GateActivation>('sigmoid', 'hard_sigmoid')
