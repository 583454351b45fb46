import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { describeValue } from '@rowwise/safetensors'
import { add, dispose, Tensor, type Tensor1D, tidy } from '@tensorflow/tfjs-core'
import { requireLengths } from './check-tensor'
import { classNameOf } from './class-name'
import { LengthsError, ModuleStructureError, PullbackError, TensorError } from './errors'
import {
  Layer,
  type LayerContext,
  type LayerGradients,
  type LayerOutput,
  type LayerVJP,
  requireContext,
  requireVJPOptions,
  type VJPOptions,
} from './layer'
import type { Embedding } from './layers/embedding'
import { FinalHidden } from './layers/steps'
import { Module } from './module'
import { passOf } from './pass'
import { link, linkEmbedding, type Step, wholeName } from './recurrent/link'

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
  /** The same where the first layer is an embedding that is read often. */
  private readonly lookup: { embedding: Embedding; steps: readonly Step[] } | undefined
  private readonly layers: readonly Layer[]
  /** See {@link Sequential.firstNames}. */
  private foundNames: ReadonlyMap<string, string> | undefined

  constructor(...layers: SequentialLayers) {
    super()
    const named = namedLayers(classNameOf(this), layers)
    this.layers = named.map(([name, layer]) => this.registerModule(name, layer))
    named.forEach(([name, layer], place) => {
      if (layer instanceof FinalHidden && link(named[place - 1]?.[1], layer) === undefined) {
        throw new ModuleStructureError(
          `${classNameOf(this)}: ${name}, finalHidden(), needs an LSTM, a GRU or an RNN right before it, neither of a class with its own forward; or use lastStep()`,
        )
      }
    })
    this.steps = stepsOf(named)
    const linked = linkEmbedding(named)
    if (linked) this.lookup = { embedding: linked.embedding, steps: [linked.step, ...this.steps.slice(2)] }
  }

  /**
   * @param inputs what the first layer reads, or `{ inputs, lengths }`
   * @returns what the last layer puts out, which the caller disposes
   * @throws {@link LengthsError} when lengths do not fit, and what the layers throw.
   */
  forward(inputs: Tensor | SequenceInputs, context: LayerContext = {}): Tensor {
    this.requireUsable()
    requireContext(() => this.label(), context)
    const read = readInputs(this, inputs, context)
    return tidy(() => {
      const value = this.steps.reduce((input, { layer }) => tensorOf(layer.forward(input, read.context)), read.inputs)
      return value === read.inputs ? value.clone() : value // the inputs are the caller's
    })
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
    requireVJPOptions(() => this.label(), options)
    const read = readInputs(this, inputs, options)
    if (!this.hasPullback()) return undefined
    const { inputGradient = false } = options
    const steps = this.lookup?.embedding.isReadOften(read.inputs) ? this.lookup.steps : this.steps
    const first = inputGradient ? 0 : steps.findIndex(({ layer }) => !layer.isFrozen)
    const passes: LayerVJP[] = []
    const frozen: Tensor[] = []
    const release = (): void => {
      for (const pass of passes) pass.release()
      dispose(frozen)
    }
    let value = read.inputs
    try {
      for (const [place, { layer }] of steps.entries()) {
        const input = value
        if (first < 0 || place < first) {
          value = tidy(() => tensorOf(layer.forward(input, read.context)))
          if (value !== input) frozen.push(value) // a layer may return what it reads
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
    const trained = first < 0 ? [] : steps.slice(first)
    return passOf(() => this.label(), {
      value,
      pullback: (gradient) => pullBack(trained, passes, gradient, this.firstNames),
      release,
    })
  }

  /** Not possible: the layers are fixed. @throws {@link ModuleStructureError} always, with what to do instead. */
  protected override replaceModule(name: string): never {
    throw new ModuleStructureError(
      `${classNameOf(this)} has fixed layers; make a new one of them: new Sequential({ ...Object.fromEntries(net.namedChildren()), ${name}: … })`,
    )
  }

  /** The first name of a parameter that layers share, by its others; found when all constructors have ended. */
  private get firstNames(): ReadonlyMap<string, string> {
    if (this.foundNames) return this.foundNames
    const firsts = new Map(Object.entries(this.parameters()).map(([name, parameter]) => [parameter as Tensor, name]))
    const names = Object.entries(this.stateDict()).map(([name, of]) => [name, firsts.get(of) as string] as const)
    this.foundNames = new Map(names.filter(([name, first]) => name !== first))
    return this.foundNames
  }

  /** Whether {@link Sequential.vjp} can compute right now: every layer can. */
  override hasPullback(): boolean {
    return super.hasPullback() && this.layers.every((layer) => layer.hasPullback())
  }
}

function namedLayers(owner: string, layers: SequentialLayers): [string, Layer][] {
  const [first] = layers
  const isNamed =
    layers.length === 1 && Object.prototype.toString.call(first) === '[object Object]' && !(first instanceof Module)
  const named = Object.entries(isNamed ? first : layers) as [string, Layer][]
  if (named.length === 0) {
    throw new ModuleStructureError(
      `new ${owner}() got no layer; pass layers, such as new LSTM(…), lastStep(), new Linear(…)`,
    )
  }
  for (const [name, layer] of named) {
    if (layer instanceof Layer) continue
    const found = (layer as unknown) instanceof Module ? `a ${classNameOf(layer)}, a Module` : describeValue(layer)
    throw new ModuleStructureError(
      `new ${owner}(): ${name} is ${found}, expected a layer: an instance of Layer, such as new Linear(…) or lastStep()`,
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
    steps.push({ name, layer: linked ?? layer, names: new Map() })
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
  if (isPair && told !== undefined) {
    throw new LengthsError(`${classNameOf(owner)} got lengths twice, with the inputs and beside them; pass them once`)
  }
  // What is no tensor is refused by the first layer, by its name.
  if (lengths === undefined || !(inputs instanceof Tensor)) return { inputs, context: {} }
  const [batch, time] = inputs.shape
  return { inputs, context: { lengths: requireLengths(lengths, batch, time) } }
}

const SEQUENCE_INPUTS: OptionNames<SequenceInputs> = { inputs: true, lengths: true }

function tensorOf(output: LayerOutput): Tensor {
  return output instanceof Tensor ? output : output.output
}

/** Takes a gradient through passes from the last to the first. What layers share has the sum of their gradients, under its first name. */
function pullBack(
  steps: readonly Step[],
  passes: readonly LayerVJP[],
  gradient: Tensor,
  firstNames: ReadonlyMap<string, string>,
): LayerGradients {
  const found: Readonly<Record<string, Tensor>>[] = []
  let upstream: Tensor | undefined = gradient
  for (let place = passes.length - 1; place >= 0; place--) {
    const { name } = steps[place]
    const { inputs, parameters } = passes[place].pullback(upstream as Tensor)
    found[place] = parameters
    // A layer that changes nothing may return the gradient that it was given.
    if (upstream !== gradient && upstream !== inputs) upstream?.dispose()
    upstream = inputs
    if (upstream === undefined && place > 0) {
      throw new PullbackError(
        `the pullback of ${name} gave no gradient with respect to its inputs, which inputGradient asked for`,
      )
    }
  }
  const named: Record<string, Tensor> = {}
  found.forEach((parameters, place) => {
    for (const name in parameters) {
      const whole = wholeName(steps[place], name)
      const first = firstNames.get(whole) ?? whole
      named[first] = first in named ? sumOf(named[first], parameters[name]) : parameters[name]
    }
  })
  const byInputs = passes.length === 0 ? undefined : upstream
  return {
    ...(byInputs && { inputs: byInputs === gradient ? gradient.clone() : byInputs }),
    parameters: named,
  }
}

/** The sum of two tensors, which are disposed. */
function sumOf(a: Tensor, b: Tensor): Tensor {
  const sum = tidy(() => add(a, b))
  dispose([a, b])
  return sum
}
