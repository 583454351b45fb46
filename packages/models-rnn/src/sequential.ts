import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { describeValue } from '@rowwise/safetensors'
import { dispose, Tensor, type Tensor1D, tidy } from '@tensorflow/tfjs-core'
import { requireLengths } from './check-tensor'
import { classNameOf } from './class-name'
import { ModuleStructureError, TensorError } from './errors'
import {
  Layer,
  type LayerContext,
  type LayerGradients,
  type LayerOutput,
  type LayerVJP,
  type VJPOptions,
} from './layer'
import { FinalHidden } from './layers/steps'
import { link, type Step } from './recurrent/link'

/** Inputs of padded rows, with the steps of each. */
export interface SequenceInputs {
  /** `[N, T, …]`, padded to T steps. */
  inputs: Tensor
  /** Steps of each row, `[N]`, from 1 to T: integers, or an int32 tensor of them. */
  lengths: ArrayLike<number> | Tensor1D
}

/** What a {@link Sequential} is made of. */
export type SequentialLayers = readonly Layer[] | readonly [Readonly<Record<string, Layer>>]

/**
 * Layers one after the other, after `torch.nn.Sequential`: each reads what the one before puts out, of an LSTM, GRU or RNN its
 * `output`. The layers' names are `0`, `1`, …, or those of an object of them, which then begin the names of the state dict.
 *
 * Rows of different lengths come as `{ inputs, lengths }`: every layer is told the lengths. When all layers have pullbacks, a training
 * loop needs no tape.
 *
 * @throws {@link ModuleStructureError} when there is no layer, something is no layer, or `finalHidden()` does not follow a recurrent one.
 * @example
 * ```ts
 * const net = new Sequential({
 *   embedding: new Embedding({ numEmbeddings: 64, embeddingDim: 32, generator }),
 *   lstm: new LSTM({ inputSize: 32, hiddenSize: 128, numLayers: 2, generator }),
 *   fc: new Linear({ inFeatures: 128, outFeatures: 64, generator }),
 * })
 * const logits = net.forward(characters) // int32 [N, T] → [N, T, 64]
 * ```
 */
export class Sequential extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Sequential'
  private readonly steps: readonly Step[]
  private readonly layers: readonly Layer[]
  private readonly sharesParameters: boolean

  constructor(...layers: SequentialLayers) {
    super()
    const named = namedLayers(classNameOf(this), layers)
    this.layers = named.map(([name, layer]) => this.registerModule(name, layer))
    named.forEach(([name, layer], place) => {
      if (layer instanceof FinalHidden && link(named[place - 1]?.[1], layer) === undefined) {
        throw new ModuleStructureError(
          `${classNameOf(this)}: ${name}, finalHidden(), follows no recurrent layer; put it after an LSTM, a GRU or an RNN, or use lastStep()`,
        )
      }
    })
    this.steps = stepsOf(named)
    const parameters = Object.values(this.stateDict())
    this.sharesParameters = new Set(parameters).size < parameters.length
  }

  /**
   * @param inputs what the first layer reads, or `{ inputs, lengths }`
   * @returns what the last layer puts out, which the caller disposes
   * @throws {@link LengthsError} when lengths do not fit, and what the layers throw.
   */
  forward(inputs: Tensor | SequenceInputs, context: LayerContext = {}): Tensor {
    this.requireUsable()
    const read = readInputs(this, inputs, context)
    return tidy(() =>
      this.steps.reduce((value, { layer }) => tensorOf(layer.forward(value, read.context)), read.inputs),
    )
  }

  /**
   * @param inputs as of {@link Sequential.forward}
   * @returns undefined unless {@link Sequential.hasPullback}
   * @throws {@link LengthsError} when lengths do not fit, and what the layers throw.
   * @example
   * ```ts
   * const pass = net.vjp(inputs)
   * const gradients = pass?.pullback(gradientByLogits).parameters // { 'lstm.weight_ih_l0': [4H, I], … }
   * pass?.release()
   * ```
   */
  override vjp(inputs: Tensor | SequenceInputs, options: VJPOptions = {}): LayerVJP | undefined {
    this.requireUsable()
    const read = readInputs(this, inputs, options)
    if (!this.hasPullback()) return undefined
    const { inputGradient = false } = options
    const first = inputGradient ? 0 : this.steps.findIndex(({ layer }) => !layer.isFrozen)
    const passes: LayerVJP[] = []
    const frozen: Tensor[] = []
    const release = (): void => {
      for (const pass of passes) pass.release()
      dispose(frozen)
    }
    let value = read.inputs
    try {
      for (const [place, { layer }] of this.steps.entries()) {
        const input = value
        if (first < 0 || place < first) {
          value = tidy(() => tensorOf(layer.forward(input, read.context)))
          frozen.push(value)
          continue
        }
        const pass = layer.vjp?.(input, { ...read.context, inputGradient: inputGradient || place > first })
        if (pass === undefined) {
          release()
          return undefined
        }
        passes.push(pass)
        value = pass.value
      }
    } catch (error) {
      release()
      throw error
    }
    const trained = first < 0 ? [] : this.steps.slice(first)
    return { value, pullback: (gradient) => pullBack(trained, passes, gradient), release }
  }

  /** Whether {@link Sequential.vjp} can compute right now: every layer can, and none shares parameters with another. */
  override hasPullback(): boolean {
    return super.hasPullback() && !this.sharesParameters && this.layers.every((layer) => layer.hasPullback())
  }
}

function namedLayers(owner: string, layers: SequentialLayers): [string, Layer][] {
  const [first] = layers
  const isNamed =
    layers.length === 1 && Object.prototype.toString.call(first) === '[object Object]' && !(first instanceof Layer)
  const named = Object.entries(isNamed ? first : layers) as [string, Layer][]
  if (named.length === 0) {
    throw new ModuleStructureError(
      `new ${owner}() got no layer; pass layers, such as new LSTM(…), lastStep(), new Linear(…)`,
    )
  }
  for (const [name, layer] of named) {
    if (layer instanceof Layer) continue
    throw new ModuleStructureError(
      `new ${owner}(): ${name} is ${describeValue(layer)}, expected a layer: an instance of Layer, such as new Linear(…) or lastStep()`,
    )
  }
  return named
}

/** The layers as they are computed: a recurrent one together with the layer that picks one state of it. */
function stepsOf(named: readonly [string, Layer][]): Step[] {
  const steps: Step[] = []
  for (let place = 0; place < named.length; place++) {
    const [name, layer] = named[place]
    const linked = link(layer, named[place + 1]?.[1])
    steps.push({ name, layer: linked ?? layer })
    if (linked !== undefined) place += 1
  }
  return steps
}

/** The inputs and the lengths that come with them, checked. */
function readInputs(
  owner: object,
  given: Tensor | SequenceInputs,
  { lengths: told }: LayerContext,
): { inputs: Tensor; context: LayerContext } {
  const isPair = !(given instanceof Tensor) && typeof given === 'object' && given !== null && 'inputs' in given
  if (isPair) refuseUnknownOptions(`the inputs of ${classNameOf(owner)}`, given, SEQUENCE_INPUTS, TensorError)
  const { inputs, lengths = told } = isPair ? given : { inputs: given as Tensor }
  // What is no tensor is refused by the first layer, by its name.
  if (lengths === undefined || !(inputs instanceof Tensor)) return { inputs, context: {} }
  const [batch, time] = inputs.shape
  return { inputs, context: { lengths: requireLengths(lengths, batch, time) } }
}

const SEQUENCE_INPUTS: OptionNames<SequenceInputs> = { inputs: true, lengths: true }

function tensorOf(output: LayerOutput): Tensor {
  return output instanceof Tensor ? output : output.output
}

/** Takes a gradient through passes from the last to the first. */
function pullBack(steps: readonly Step[], passes: readonly LayerVJP[], gradient: Tensor): LayerGradients {
  if (passes.length === 0) return { parameters: {} }
  const found: [string, Tensor][][] = []
  let upstream: Tensor | undefined = gradient
  for (let place = passes.length - 1; place >= 0; place--) {
    const { inputs, parameters } = passes[place].pullback(upstream as Tensor)
    const prefix = `${steps[place].name}.`
    found.unshift(Object.entries(parameters).map(([name, of]) => [prefix + name, of]))
    if (upstream !== gradient) upstream?.dispose()
    upstream = inputs
  }
  return { inputs: upstream, parameters: Object.fromEntries(found.flat()) }
}
