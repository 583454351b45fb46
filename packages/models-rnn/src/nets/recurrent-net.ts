import type { OptionNames } from '@rowwise/errors'
import type { SafetensorsFile, StateDict } from '@rowwise/safetensors'
import type { Generator } from '@rowwise/torch-random'
import { classNameOf } from '../class-name'
import { StateDictError } from '../errors'
import type { Layer } from '../layer'
import { Linear } from '../layers/linear'
import { lastStep } from '../layers/steps'
import { dropoutRate, flag, GENERATOR, integer, type Rules, readOptions, requireOption, unchecked } from '../options'
import { requireAllocatable } from '../parameter-sizes'
import type { RecurrentLayer, RecurrentLayerOptions } from '../recurrent/recurrent-layer'
import { Sequential } from '../sequential'
import { assignValues } from '../state-dict/assign'
import { fitStateDict } from '../state-dict/fit'
import { checkLoadOptions, LOAD_OPTIONS, type LoadStateDictOptions } from '../state-dict/load-options'
import { readFile } from '../state-dict/read-file'
import type { NetKind } from './net-kind'
import { netParameters } from './parameters'
import { readConfig, requireConfig } from './read-config'
import { netShape } from './shape'

/** The shape of a {@link RecurrentNet}; plain data, as it stands in a safetensors file's metadata. */
export interface RecurrentNetConfig {
  /** Features of each time step. @default 28 */
  inputSize?: number
  /** Features of the hidden state. @default 64 */
  hiddenSize?: number
  /** Recurrent layers. @default 1 */
  numLayers?: number
  /** Classes to tell apart. @default 10 */
  numClasses?: number
  /** Biases in the recurrent layers. @default true */
  bias?: boolean
  /** Read the sequence in both directions. @default false */
  bidirectional?: boolean
  /** Probability of zeroing an output between two layers, in training only. @default 0 */
  dropout?: number
}

/** How a {@link RecurrentNet} is built. */
export interface RecurrentNetOptions extends RecurrentNetConfig {
  /** Draws the initial weights and the dropout masks. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/** How {@link RecurrentNet.fromStateDict} loads weights. */
export interface FromStateDictOptions extends LoadStateDictOptions {
  /** Probability of zeroing an output between two layers, which no weight shows. @default 0 */
  dropout?: number
  /** The nonlinearity of a plain RNN, which no weight shows. @default 'tanh' */
  nonlinearity?: 'tanh' | 'relu'
}

/** A class of networks. */
export interface NetClass<Net> {
  new (options: RecurrentNetOptions): Net
  /** What sets the class apart. */
  readonly kind: NetKind
}

/**
 * The reference network with any cell: recurrent layers read the sequence, a linear layer `fc_1` reads their output at its last step. The
 * base of {@link LSTMNet}, {@link GRUNet} and {@link RNNNet}.
 */
export abstract class RecurrentNet<Config extends RecurrentNetConfig = RecurrentNetConfig> extends Sequential {
  /** Every option of the shape, defaults filled in. */
  readonly config: Required<Config>

  /**
   * @param make the recurrent layer
   * @param own further entries of the config, all given
   * @throws {@link ModuleOptionError} when an option is unknown, out of range, or asks for more than can be allocated.
   */
  protected constructor(
    kind: NetKind,
    make: (options: RecurrentLayerOptions) => RecurrentLayer,
    options: RecurrentNetOptions,
    own: Readonly<Record<string, unknown>> = {},
  ) {
    const owner = classNameOf(new.target.prototype)
    const ofOwn = Object.fromEntries(Object.keys(own).map((name) => [name, unchecked()]))
    const { dropout, generator, numClasses, ...shape } = readOptions(owner, options, { ...RULES, ...ofOwn })
    requireAllocatable(owner, netParameters({ ...kind, owner }, { ...shape, numClasses }))
    const recurrent = make({ ...shape, dropout, generator })
    const layers: Record<string, Layer> = {
      [kind.layer]: recurrent,
      last: lastStep(),
      fc_1: new Linear({ inFeatures: recurrent.outputSize, outFeatures: numClasses, generator }),
    }
    super(layers)
    const { inputSize, hiddenSize, numLayers, ...rest } = shape
    this.config = {
      inputSize,
      hiddenSize,
      numLayers,
      numClasses,
      ...rest,
      dropout,
      ...own,
    } as unknown as Required<Config>
  }

  /**
   * Builds the network that a state dict belongs to, reading every size from the names and shapes, and takes over its weights as
   * {@link Module.loadStateDict} does: without the prefixes of wrappers, renamed, converted to float32.
   *
   * @throws {@link StateDictError} when it is not a state dict of this class: the message says what it is of, lists its names, and
   * gives the `rename` with which it would be one, where there is no doubt; {@link ModuleOptionError} for a wrong option.
   * @example
   * ```ts
   * const { tensors } = decodeSafetensors(await readFile('model.safetensors'))
   * const model = LSTMNet.fromStateDict(tensors, { rename: { lstm: 'lstm_1', fc: 'fc_1' }, onNote: console.log })
   * ```
   */
  static fromStateDict<Net extends RecurrentNet>(
    this: NetClass<Net>,
    stateDict: StateDict,
    options: FromStateDictOptions = {},
  ): Net {
    const { kind } = this
    const caller = `${kind.owner}.fromStateDict`
    const own = kind.module === 'RNN' ? { nonlinearity: true as const } : {}
    checkLoadOptions(caller, options, { ...LOAD_OPTIONS, dropout: true, ...own } as OptionNames<FromStateDictOptions>)
    const { dropout = 0, nonlinearity, onNote, ...load } = options
    requireOption(caller, 'dropout', dropout, dropoutRate(0))
    const shape = netShape(kind, stateDict, options.rename)
    // Before anything of these sizes is allocated: all of them must be those of the weights.
    const sizes = netParameters(kind, shape)
    const { values, notes } = fitStateDict(kind.owner, sizes, stateDict, load)
    const model = new this({ ...shape, dropout, ...(nonlinearity && { nonlinearity }) })
    const parameters = model.parameters()
    const strange = Object.keys(sizes).find((name) => parameters[name]?.shape.join() !== sizes[name].shape.join())
    if (strange !== undefined) {
      const made = `${classNameOf(model)} made ${strange} of shape [${parameters[strange]?.shape ?? 'none'}]`
      model.dispose()
      throw new StateDictError(
        `${made}, the state dict's is [${sizes[strange].shape}]; a subclass passes the options of its constructor on to super()`,
      )
    }
    assignValues(parameters, values)
    for (const note of notes) onNote?.(note)
    return model
  }

  /**
   * Reads a safetensors file, ours or PyTorch's: sizes from names and shapes, and from the metadata, where it has a `config`,
   * what shapes do not show.
   *
   * @param file its bytes, or what `decodeSafetensors` made of them
   * @throws {@link SafetensorsError} when it is not such a file, {@link StateDictError} when it holds another model, or a config
   * that is not that of its weights.
   * @example
   * ```ts
   * const model = LSTMNet.fromSafetensors(await readFile('model.safetensors'))
   * ```
   */
  static fromSafetensors<Net extends RecurrentNet>(
    this: NetClass<Net>,
    file: Uint8Array | ArrayBuffer | SafetensorsFile,
    options: LoadStateDictOptions = {},
  ): Net {
    const caller = `${this.kind.owner}.fromSafetensors`
    checkLoadOptions(caller, options, LOAD_OPTIONS)
    const { onNote, ...load } = options
    const { tensors, metadata } = readFile(caller, file)
    const config = readConfig(metadata.config)
    const notes: string[] = []
    const { dropout, nonlinearity } = config ?? {}
    const model = RecurrentNet.fromStateDict.call<NetClass<Net>, [StateDict, FromStateDictOptions], Net>(
      this,
      tensors,
      {
        ...load,
        ...(dropout !== undefined && { dropout }),
        ...(nonlinearity !== undefined && this.kind.module === 'RNN' && { nonlinearity }),
        onNote: (note) => notes.push(note),
      },
    )
    try {
      if (config !== undefined) requireConfig(config, { ...model.config })
    } catch (error) {
      model.dispose()
      throw error
    }
    for (const note of notes) onNote?.(note)
    return model
  }
}

const RULES = {
  ...{ inputSize: integer(1, 28), hiddenSize: integer(1, 64), numLayers: integer(1, 1), numClasses: integer(1, 10) },
  ...{ bias: flag(true), bidirectional: flag(false), dropout: dropoutRate(0), generator: GENERATOR },
} satisfies Rules<RecurrentNetOptions>
