import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { Generator } from '@rowwise/torch-random'
import { concat, slice, squeeze, stack, type Tensor2D, type Tensor3D, tidy, type Variable } from '@tensorflow/tfjs-core'
import { requireShape, requireTensor, requireTensors } from '../check-tensor'
import { classNameOf } from '../class-name'
import { bringParameters, bringToCurrentBackend } from '../current-backend'
import { dropout } from '../dropout'
import { ModuleOptionError, ShapeError } from '../errors'
import { Module } from '../module'
import { requireBoolean, requireDropout, requireGenerator, requirePositiveInteger } from '../options'
import { allocate, type ParameterSizes, requireAllocatable } from '../parameter-sizes'
import { reshapeHint } from '../reshape-hint'
import { finalHidden, type LSTMLayerWeights, runLSTM } from './lstm'
import { lstmParameters } from './lstm-parameters'

/** How {@link LSTM} is built. */
export interface LSTMOptions {
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

/** Hidden and cell state of every layer and direction: each float32 `[layers·directions, N, H]`. */
export interface LSTMState {
  /** The hidden state. */
  h: Tensor3D
  /** The cell state. */
  c: Tensor3D
}

/** What {@link LSTM.forward} hands back; the caller disposes the tensors. D is 2 when bidirectional, else 1. */
export interface LSTMOutputs {
  /** The last layer's hidden state of every step, `[N, T, D·H]`; absent with `returnOutput: false`. */
  output?: Tensor3D
  /** The final hidden state of every layer and direction, `[layers·D, N, H]`: PyTorch's `h_n`. */
  hn: Tensor3D
  /** The final cell state of every layer and direction, `[layers·D, N, H]`: PyTorch's `c_n`. */
  cn: Tensor3D
}

/**
 * A long short-term memory network, after `torch.nn.LSTM` with `batch_first=True`: same parameter names and layout, same
 * initial values from the same generator, same numbers.
 *
 * @throws {@link ModuleOptionError} when an option is unknown, a size is not a positive integer or too large to be allocated, or
 * `dropout` is not in [0, 1).
 * @example
 * ```ts
 * const layer = new LSTM({ inputSize: 28, hiddenSize: 64, numLayers: 2, generator: new Generator(0) })
 * const { output, hn, cn } = layer.forward(inputs) // inputs [N, T, 28] → [N, T, 64], [2, N, 64], [2, N, 64]
 * ```
 */
export class LSTM extends Module {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LSTM'
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
  private readonly generator: Generator
  private readonly layers: LSTMLayerWeights[][]
  private readonly all: readonly Variable[]

  constructor(options: LSTMOptions) {
    super()
    const owner = classNameOf(this)
    refuseUnknownOptions(`new ${owner}()`, options, LSTM_OPTIONS, ModuleOptionError)
    const { inputSize, hiddenSize, numLayers = 1, bias = true, bidirectional = false } = options
    const { dropout = 0, generator = new Generator() } = options
    requirePositiveInteger(owner, { inputSize, hiddenSize, numLayers })
    requireBoolean(owner, { bias, bidirectional })
    requireDropout(owner, dropout)
    requireGenerator(owner, generator)
    const sizes = lstmParameters(owner, { inputSize, hiddenSize, numLayers, bias, bidirectional })
    requireAllocatable(owner, sizes)
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.numLayers = numLayers
    this.bias = bias
    this.bidirectional = bidirectional
    this.dropout = dropout
    this.generator = generator
    const directions = bidirectional ? ['', '_reverse'] : ['']
    this.layers = Array.from({ length: numLayers }, (_, layer) =>
      directions.map((direction) => this.initialWeights(`l${layer}${direction}`, sizes)),
    )
    this.all = Object.values(this.parameters())
  }

  /** Hidden states a layer puts out per step: `hiddenSize`, twice that when bidirectional. */
  get outputSize(): number {
    return this.hiddenSize * (this.bidirectional ? 2 : 1)
  }

  /**
   * @param inputs float32 `[N, T, inputSize]`
   * @param initial the state before the first step; zeros when absent
   * @param options `returnOutput: false` leaves out the last layer's states of all steps
   * @throws {@link TensorError} when the inputs or a state is not a live float32 tensor, {@link ShapeError} when a shape does not
   * fit, {@link ModuleDisposedError} when the layer was disposed.
   */
  forward(inputs: Tensor3D, initial?: LSTMState, options: { returnOutput?: boolean } = {}): LSTMOutputs {
    refuseUnknownOptions(`${classNameOf(this)}.forward`, options, { returnOutput: true }, ModuleOptionError)
    const { returnOutput = true } = options
    this.prepare(inputs, initial)
    return tidy(() => {
      const { output, finals } = this.run(this.layers, inputs, initial, returnOutput)
      const hn = stack(finals.map(({ h }) => h)) as Tensor3D
      const cn = stack(finals.map(({ c }) => c)) as Tensor3D
      return returnOutput ? { output, hn, cn } : { hn, cn }
    })
  }

  /**
   * The last layer's hidden state after its last step: `hn[-1]` of {@link LSTM.forward}, the backward direction's where there
   * are two, without the other outputs.
   *
   * @param inputs float32 `[N, T, inputSize]`
   * @returns float32 `[N, H]`, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor, {@link ShapeError} when the shape does not fit,
   * {@link ModuleDisposedError} when the layer was disposed.
   */
  finalHidden(inputs: Tensor3D): Tensor2D {
    this.prepare(inputs, undefined)
    return tidy(() => {
      const below = this.layers.slice(0, -1)
      const { output = inputs } = this.run(below, inputs, undefined, true)
      const direction = this.bidirectional ? 1 : 0
      const weights = (this.layers.at(-1) as LSTMLayerWeights[])[direction]
      return finalHidden(this.dropped(output, below.length), weights, { reverse: direction === 1 })
    })
  }

  /** Runs some layers; the last of them gives its output back only when that is wanted. */
  private run(
    layers: LSTMLayerWeights[][],
    inputs: Tensor3D,
    initial: LSTMState | undefined,
    returnOutput: boolean,
  ): { output?: Tensor3D; finals: LayerState[] } {
    const finals: LayerState[] = []
    let output: Tensor3D | undefined
    layers.forEach((directions, layer) => {
      const read = this.dropped(output ?? inputs, layer)
      const isLast = layer === layers.length - 1
      const sides = directions.map((weights, direction) =>
        runLSTM(read, weights, {
          reverse: direction === 1,
          initial: initial && stateOf(initial, layer * directions.length + direction),
          returnOutput: !isLast || returnOutput,
        }),
      )
      finals.push(...sides)
      output = joinSides(sides.map((side) => side.output))
    })
    return { output, finals }
  }

  /** What a layer reads: in training, the layer below's outputs after dropout. */
  private dropped(inputs: Tensor3D, layer: number): Tensor3D {
    const isDropped = layer > 0 && this.training && this.dropout > 0
    return isDropped ? dropout(inputs, this.dropout, this.generator) : inputs
  }

  private initialWeights(suffix: string, sizes: ParameterSizes): LSTMLayerWeights {
    const bound = 1 / Math.sqrt(this.hiddenSize)
    const draw = (parameter: string): Variable => {
      const name = `${parameter}_${suffix}`
      const values = this.generator.uniform(allocate(classNameOf(this), name, sizes[name]), -bound, bound)
      return this.registerParameter(name, values, sizes[name].shape)
    }
    const weights = {
      weightIh: draw('weight_ih'),
      weightHh: draw('weight_hh'),
      ...(this.bias && { biasIh: draw('bias_ih'), biasHh: draw('bias_hh') }),
    }
    return weights as unknown as LSTMLayerWeights
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. */
  private prepare(inputs: Tensor3D, initial: LSTMState | undefined): void {
    this.requireUsable()
    requireTensor('inputs', inputs)
    const { shape } = inputs
    if (shape.length !== 3 || shape[2] !== this.inputSize || inputs.size === 0) {
      throw new ShapeError(
        `inputs has shape [${shape}], ${classNameOf(this)}(inputSize ${this.inputSize}) expects [batch, time, ${this.inputSize}], ` +
          `none of them 0${reshapeHint(shape, this.inputSize)}`,
      )
    }
    if (initial !== undefined) this.checkInitial(initial, shape[0])
    bringToCurrentBackend('inputs', inputs)
    bringToCurrentBackend('initial.h', initial?.h)
    bringToCurrentBackend('initial.c', initial?.c)
    bringParameters(this.all)
  }

  private checkInitial(initial: LSTMState, batch: number): void {
    requireTensors('initial', initial, '{ h, c }')
    refuseUnknownOptions('initial', initial, { h: true, c: true }, ModuleOptionError)
    const expected = [this.numLayers * (this.bidirectional ? 2 : 1), batch, this.hiddenSize]
    for (const name of ['h', 'c'] as const) {
      requireTensor(`initial.${name}`, initial[name])
      requireShape(`initial.${name}`, initial[name], expected, '[layers·D, batch, H]')
    }
  }
}

const LSTM_OPTIONS: OptionNames<LSTMOptions> = {
  inputSize: true,
  hiddenSize: true,
  numLayers: true,
  bias: true,
  bidirectional: true,
  dropout: true,
  generator: true,
}

/** Hidden and cell state of one direction of a layer, `[N, H]` each. */
interface LayerState {
  h: Tensor2D
  c: Tensor2D
}

function stateOf({ h, c }: LSTMState, index: number): LayerState {
  const pick = (state: Tensor3D): Tensor2D => squeeze(slice(state, [index, 0, 0], [1, -1, -1]), [0])
  return { h: pick(h), c: pick(c) }
}

function joinSides(outputs: (Tensor3D | undefined)[]): Tensor3D | undefined {
  const present = outputs.filter((output) => output !== undefined)
  return present.length > 1 ? concat(present, 2) : present[0]
}
