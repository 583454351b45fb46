import { Generator } from '@rowwise/torch-random'
import { concat, slice, squeeze, stack, type Tensor2D, type Tensor3D, tidy, type Variable } from '@tensorflow/tfjs-core'
import { dropout } from '../dropout'
import { ModuleOptionError, ShapeError } from '../errors'
import { Module } from '../module'
import { requirePositiveInteger } from '../options'
import { finalHidden, type LSTMLayerWeights, lstm } from './lstm'

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
 * @throws {@link ModuleOptionError} when a size is no positive integer or `dropout` is not in [0, 1).
 * @example
 * ```ts
 * const layer = new LSTM({ inputSize: 28, hiddenSize: 64, numLayers: 2, generator: new Generator(0) })
 * const { output, hn, cn } = layer.forward(inputs) // inputs [N, T, 28] → [N, T, 64], [2, N, 64], [2, N, 64]
 * ```
 */
export class LSTM extends Module {
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

  constructor(options: LSTMOptions) {
    super()
    const { inputSize, hiddenSize, numLayers = 1, bias = true, bidirectional = false } = options
    const { dropout = 0, generator = new Generator() } = options
    requirePositiveInteger('LSTM', { inputSize, hiddenSize, numLayers })
    if (!(dropout >= 0 && dropout < 1)) {
      throw new ModuleOptionError(`LSTM: dropout is ${dropout}, expected a probability from 0 up to, not including, 1`)
    }
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.numLayers = numLayers
    this.bias = bias
    this.bidirectional = bidirectional
    this.dropout = dropout
    this.generator = generator
    const directions = bidirectional ? ['', '_reverse'] : ['']
    this.layers = Array.from({ length: numLayers }, (_, layer) => {
      const features = layer === 0 ? inputSize : hiddenSize * directions.length
      return directions.map((direction) => this.initialWeights(`l${layer}${direction}`, features))
    })
  }

  /** Hidden states a layer puts out per step: `hiddenSize`, twice that when bidirectional. */
  get outputSize(): number {
    return this.hiddenSize * (this.bidirectional ? 2 : 1)
  }

  /**
   * @param inputs float32 `[N, T, inputSize]`
   * @param initial the state before the first step; zeros when absent
   * @param options `returnOutput: false` leaves out the last layer's states of all steps
   * @throws {@link ShapeError} when a shape does not fit.
   */
  forward(inputs: Tensor3D, initial?: LSTMState, options: { returnOutput?: boolean } = {}): LSTMOutputs {
    const { returnOutput = true } = options
    this.checkShapes(inputs, initial)
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
   * @throws {@link ShapeError} when the shape does not fit.
   */
  finalHidden(inputs: Tensor3D): Tensor2D {
    this.checkShapes(inputs, undefined)
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
        lstm(read, weights, {
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

  private initialWeights(suffix: string, features: number): LSTMLayerWeights {
    const gates = 4 * this.hiddenSize
    const bound = 1 / Math.sqrt(this.hiddenSize)
    const draw = (name: string, shape: number[]): Variable => {
      const size = shape.reduce((product, length) => product * length, 1)
      const values = this.generator.uniform(new Float32Array(size), -bound, bound)
      return this.registerParameter(`${name}_${suffix}`, values, shape)
    }
    const weights = {
      weightIh: draw('weight_ih', [gates, features]),
      weightHh: draw('weight_hh', [gates, this.hiddenSize]),
      ...(this.bias && { biasIh: draw('bias_ih', [gates]), biasHh: draw('bias_hh', [gates]) }),
    }
    return weights as unknown as LSTMLayerWeights
  }

  private checkShapes(inputs: Tensor3D, initial: LSTMState | undefined): void {
    const { shape } = inputs
    if (shape.length !== 3 || shape[2] !== this.inputSize || inputs.size === 0) {
      throw new ShapeError(
        `inputs has shape [${shape}], LSTM(inputSize ${this.inputSize}) expects [batch, time, ${this.inputSize}], ` +
          'none of them 0; reshape it',
      )
    }
    const expected = [this.numLayers * (this.bidirectional ? 2 : 1), shape[0], this.hiddenSize]
    for (const [name, state] of Object.entries(initial ?? {})) {
      if (state.shape.join() !== expected.join()) {
        throw new ShapeError(`initial.${name} has shape [${state.shape}], expected [${expected}]: [layers·D, batch, H]`)
      }
    }
  }
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
