import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { concat, expandDims, slice, squeeze, Tensor, type Tensor3D, tidy, unstack } from '@tensorflow/tfjs-core'
import { requireLengths } from './check-tensor'
import { classNameOf } from './class-name'
import { ModuleStructureError, TensorError } from './errors'
import { Layer, type LayerContext, type LayerOutput, requireContext } from './layer'
import { RecurrentLayer } from './recurrent/recurrent-layer'

/** A layer of a {@link Graph}, and where what it reads comes from. */
export interface GraphNode {
  /** The layer. */
  layer: Layer
  /**
   * An input of the graph, a node, whose output it is, or of a recurrent node `name.hn`, `name.cn`, `name.final` or
   * `name.finalCell`.
   */
  input: string
  /**
   * The state before the first step of a recurrent layer, each from a place as `input` is, of `[numLayers·D, N, H]`;
   * `[N, H]` where that is one.
   */
  initial?: {
    /** The hidden state. */
    h: string
    /** The cell state; an LSTM has both. */
    c?: string
  }
  /** Whether it is told the lengths. @default true where it reads the first input, or a layer that does */
  lengths?: boolean
}

/** A node with its name. */
export interface NamedGraphNode extends GraphNode {
  /** Its name in the graph. */
  name: string
  /** Whether it is told the lengths. */
  lengths: boolean
}

/** How a {@link Graph} is put together. */
export interface GraphOptions {
  /** The names of what it reads; lengths are those of the first, unless nodes say otherwise. */
  inputs: readonly string[]
  /** The layers by name, in the order in which they are computed. */
  nodes: Readonly<Record<string, GraphNode>>
  /** Where the output comes from. */
  output: string
  /** Where further outputs come from, by name. */
  outputs?: Readonly<Record<string, string>>
}

/** What a recurrent node gives beside its output. */
const STATES = ['hn', 'cn', 'final', 'finalCell']

/**
 * Layers that read each other's outputs and states, such as an encoder and a decoder, or a network that goes on from a
 * state. A chain of layers is better off as a {@link Sequential}, whose training needs no tape.
 *
 * `name.final` is the final hidden state of a recurrent node's last layer, directions side by side: what
 * {@link finalHidden} takes; `name.finalCell` the same of an LSTM's cell state.
 *
 * @throws {@link ModuleStructureError} when a node reads what is not there before it, or is told a state and is not
 * recurrent, or h without c of an LSTM.
 * @example
 * ```ts
 * const model = new Graph({
 *   inputs: ['x'],
 *   nodes: {
 *     encoder: { layer: new LSTM({ inputSize: 6, hiddenSize: 10 }), input: 'x' },
 *     decoder: {
 *       layer: new LSTM({ inputSize: 6, hiddenSize: 10 }),
 *       input: 'x',
 *       initial: { h: 'encoder.hn', c: 'encoder.cn' },
 *     },
 *     fc: { layer: new Linear({ inFeatures: 10, outFeatures: 4 }), input: 'decoder' },
 *   },
 *   output: 'fc',
 * })
 * model.forward(x) // [N, T, 6] → [N, T, 4]
 * ```
 */
export class Graph extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Graph'
  /** The names of what it reads. */
  readonly inputs: readonly string[]
  /** Where its outputs come from: `output` and others. */
  readonly outputs: Readonly<Record<string, string>>
  /** Its nodes, in the order in which they are computed. */
  readonly nodes: readonly NamedGraphNode[]
  /** The input that lengths are of. */
  private readonly lengthsOf: string

  constructor(options: GraphOptions) {
    super()
    const owner = classNameOf(this)
    refuseUnknownOptions(`new ${owner}()`, options, GRAPH_OPTIONS, ModuleStructureError)
    const { inputs, nodes, output, outputs = {} } = options
    if (!Array.isArray(inputs) || inputs.length === 0 || Object.prototype.toString.call(nodes) !== '[object Object]') {
      throw new ModuleStructureError(
        `new ${owner}() expects inputs, a list of names, and nodes, an object of { layer, input } by name`,
      )
    }
    this.inputs = [...inputs]
    if (Object.hasOwn(outputs, 'output'))
      throw new ModuleStructureError(
        `${owner}: outputs has an 'output', which is the first one's name; give it another`,
      )
    this.outputs = { output, ...outputs }
    const known = new Set(inputs)
    const sources = new Map(inputs.map((name) => [name, name])) // the input whose steps a place has
    const require = (place: string, by: string): void => {
      if (known.has(place)) return
      throw new ModuleStructureError(
        `${owner}: ${by} reads '${place}', expected one of ${[...known].join(', ')}; a node reads what comes before it`,
      )
    }
    this.nodes = Object.entries(nodes).map(([name, node]) => {
      const { layer, input, initial } = node
      if (known.has(name))
        throw new ModuleStructureError(`${owner}: ${name} is a node and an input; give it its own name`)
      this.registerModule(name, layer)
      for (const place of [input, ...Object.values(initial ?? {})]) require(place, name)
      const isRecurrent = layer instanceof RecurrentLayer
      if (initial && !isRecurrent)
        throw new ModuleStructureError(`${owner}: ${name} has an initial state and is not an LSTM, GRU or RNN`)
      known.add(name)
      const hasCell = isRecurrent && layer.cell === 'lstm'
      if (initial && hasCell !== (initial.c !== undefined)) {
        throw new ModuleStructureError(
          hasCell
            ? `${owner}: ${name} is an LSTM and has an initial h alone; give its c, too`
            : `${owner}: ${name} has an initial c, which only an LSTM has; leave it out`,
        )
      }
      for (const state of isRecurrent ? STATES : [])
        if (hasCell || !/^c|Cell$/.test(state)) known.add(`${name}.${state}`)
      const source = sources.get(input)
      if (source !== undefined) sources.set(name, source)
      const { lengths = source === inputs[0] } = node
      if (typeof lengths !== 'boolean')
        throw new ModuleStructureError(`${owner}: lengths of ${name} is neither true nor false`)
      return { name, layer, input, lengths, ...(initial && { initial }) }
    })
    for (const [name, place] of Object.entries(this.outputs)) require(place, name)
    this.lengthsOf = sources.get(this.nodes.find(({ lengths }) => lengths)?.name ?? '') ?? inputs[0]
  }

  /**
   * @param given the first input, or all by name
   * @param context `lengths`, the steps of each row of the first input, for the nodes that are told them
   * @returns the output, or with further outputs all of them by name; the caller disposes them
   * @throws {@link TensorError} when an input is missing or not known, {@link LengthsError}, and what the layers throw.
   */
  forward(given: Tensor | Readonly<Record<string, Tensor>>, context: LayerContext = {}): LayerOutput {
    this.requireUsable()
    requireContext(() => this.label(), context)
    const read = this.named(given)
    const padded = read[this.lengthsOf]
    const { lengths } = context
    const told = lengths ? { lengths: requireLengths(lengths, padded.shape[0], padded.shape[1]) } : {}
    const found = tidy(() => {
      const values = new Map<string, Tensor>(Object.entries(read))
      const at = (place: string): Tensor => values.get(place) as Tensor
      for (const { name, layer, input, initial, lengths: isTold } of this.nodes) {
        const states = initial && {
          initial: { h: stateOf(at(initial.h)), ...(initial.c && { c: stateOf(at(initial.c)) }) },
        }
        const output = layer.forward(at(input), { ...(isTold && told), ...states } as LayerContext)
        values.set(name, output instanceof Tensor ? output : output.output)
        if (!(layer instanceof RecurrentLayer)) continue
        const { hn, cn } = output as unknown as { hn: Tensor3D; cn?: Tensor3D }
        const directions = layer.bidirectional ? 2 : 1
        values.set(`${name}.hn`, hn)
        if (cn) values.set(`${name}.cn`, cn)
        if (this.isRead(`${name}.final`)) values.set(`${name}.final`, finalOf(hn, directions))
        if (cn && this.isRead(`${name}.finalCell`)) values.set(`${name}.finalCell`, finalOf(cn, directions))
      }
      return Object.fromEntries(
        Object.entries(this.outputs).map(([name, place]) => [
          name,
          Object.values(read).includes(at(place)) ? at(place).clone() : at(place), // the inputs are the caller's
        ]),
      )
    }) as Record<string, Tensor> & { output: Tensor }
    return Object.keys(found).length === 1 ? found.output : found
  }

  /** Not possible: the nodes are fixed. @throws {@link ModuleStructureError} always, with what to do instead. */
  protected override replaceModule(name: string): never {
    throw new ModuleStructureError(
      `${classNameOf(this)} has fixed nodes; make a new graph with another layer as ${name}`,
    )
  }

  private isRead(place: string): boolean {
    return (
      Object.values(this.outputs).includes(place) ||
      this.nodes.some(({ input, initial }) => input === place || initial?.h === place || initial?.c === place)
    )
  }

  private named(given: Tensor | Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
    const named = given instanceof Tensor ? { [this.inputs[0]]: given } : given
    const stray = Object.keys(named ?? {}).find((name) => !this.inputs.includes(name))
    const missing = this.inputs.find((name) => !((named?.[name] as unknown) instanceof Tensor))
    if (stray === undefined && missing === undefined) return named
    const problem = missing === undefined ? `${stray}, which it does not read` : `no tensor ${missing}`
    throw new TensorError(`${this.label()} got ${problem}; it reads { ${this.inputs.join(', ')} }`)
  }
}

/** The last layer's states, directions side by side: `[numLayers·D, N, H]` → `[N, D·H]`. */
function finalOf(hn: Tensor3D, directions: number): Tensor {
  const last = slice(hn, [hn.shape[0] - directions, 0, 0])
  return directions === 1 ? squeeze(last, [0]) : concat(unstack(last), 1)
}

/** A state `[N, H]` as `[1, N, H]`. */
function stateOf(tensor: Tensor): Tensor {
  return tensor.rank === 2 ? expandDims(tensor, 0) : tensor
}

const GRAPH_OPTIONS: OptionNames<GraphOptions> = { inputs: true, nodes: true, output: true, outputs: true }
