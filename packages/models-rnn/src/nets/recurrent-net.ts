import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { canFuse } from '@rowwise/rnn-kernels'
import {
  bytesOf,
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  type StateDict,
} from '@rowwise/safetensors'
import { Generator } from '@rowwise/torch-random'
import { engine, slice, squeeze, type Tensor2D, type Tensor3D, tidy } from '@tensorflow/tfjs-core'
import { requireTensor } from './check-tensor'
import { classNameOf } from './class-name'
import { bringParameters, bringToCurrentBackend } from './current-backend'
import { ModuleOptionError, ShapeError } from './errors'
import { FUSED_WORK, Linear } from './linear'
import { describeArithmetic } from './lstm/describe-lstm'
import { LSTM } from './lstm/lstm-module'
import { lstmNetParameters } from './lstm-net-parameters'
import { type FusedParameters, fusedParameters, type LSTMNetVJP, lstmNetVJP } from './lstm-net-vjp'
import { Module } from './module'
import { requireBoolean, requireDropout, requireGenerator, requirePositiveInteger } from './options'
import { requireAllocatable } from './parameter-sizes'
import { readConfig, requireConfig } from './read-config'
import { reshapeHint } from './reshape-hint'
import { assignValues } from './state-dict/assign'
import { fitStateDict } from './state-dict/fit'
import { checkLoadOptions, LOAD_OPTIONS, type LoadStateDictOptions } from './state-dict/load-options'
import { lstmNetShape } from './state-dict/lstm-net-shape'
import { summarize } from './summary'

/** The shape of an {@link LSTMNet}; plain data, as it stands in a safetensors file's metadata. */
export interface LSTMNetConfig {
  /** Features of each time step. @default 28 */
  inputSize?: number
  /** Features of the hidden state. @default 64 */
  hiddenSize?: number
  /** LSTM layers. @default 1 */
  numLayers?: number
  /** Classes to tell apart. @default 10 */
  numClasses?: number
  /** Biases in the LSTM. @default true */
  bias?: boolean
  /** Read the sequence in both directions. @default false */
  bidirectional?: boolean
  /** Probability of zeroing an output between two layers, in training only. @default 0 */
  dropout?: number
}

/** How {@link LSTMNet} is built. */
export interface LSTMNetOptions extends LSTMNetConfig {
  /** Draws the initial weights and the dropout masks. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/** How {@link LSTMNet.fromStateDict} loads weights. */
export interface FromStateDictOptions extends LoadStateDictOptions {
  /** Probability of zeroing an output between two layers, which no weight shows. @default 0 */
  dropout?: number
}

/**
 * The reference network: an LSTM reads the sequence, a linear layer reads its last output. The parameters are
 * `lstm_1.weight_ih_l0` [4H, I], `lstm_1.weight_hh_l0` [4H, H], …, `fc_1.weight` [C, H], `fc_1.bias` [C].
 *
 * @throws {@link ModuleOptionError} when an option is unknown, out of range, or asks for more than can be allocated.
 * @example
 * ```ts
 * const model = new LSTMNet({ inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10, generator: new Generator(0) })
 * const logits = model.forward(inputs) // [N, 28, 28] → [N, 10]
 * ```
 */
export class LSTMNet extends Module {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LSTMNet'
  /** Every option of the shape, defaults filled in. */
  readonly config: Required<LSTMNetConfig>
  private readonly lstm: LSTM
  private readonly fc: Linear
  private readonly fused: FusedParameters

  constructor(options: LSTMNetOptions = {}) {
    super()
    const owner = classNameOf(this)
    refuseUnknownOptions(`new ${owner}()`, options, LSTM_NET_OPTIONS, ModuleOptionError)
    const { inputSize = 28, hiddenSize = 64, numLayers = 1, numClasses = 10 } = options
    const { bias = true, bidirectional = false, dropout = 0, generator = new Generator() } = options
    requirePositiveInteger(owner, { inputSize, hiddenSize, numLayers, numClasses })
    requireBoolean(owner, { bias, bidirectional })
    requireDropout(owner, dropout)
    requireGenerator(owner, generator)
    const shape = { inputSize, hiddenSize, numLayers, bias, bidirectional }
    requireAllocatable(owner, lstmNetParameters(owner, { ...shape, numClasses }))
    this.config = { inputSize, hiddenSize, numLayers, numClasses, bias, bidirectional, dropout }
    this.lstm = this.registerModule('lstm_1', new LSTM({ ...shape, dropout, generator }))
    const inFeatures = this.lstm.outputSize
    this.fc = this.registerModule('fc_1', new Linear({ inFeatures, outFeatures: numClasses, generator }))
    this.fused = fusedParameters(this.parameters(), numLayers)
  }

  /**
   * Builds the network that a state dict belongs to, reading every size from the names and shapes, and takes over its weights as
   * {@link Module.loadStateDict} does: without the prefixes of wrappers, renamed, converted to float32.
   *
   * @throws {@link StateDictError} when it is not a state dict of an LSTMNet: the message says what it is of, lists its names, and
   * gives the `rename` with which it would be one, where there is no doubt; {@link ModuleOptionError} for a wrong option.
   * @example
   * ```ts
   * const { tensors } = decodeSafetensors(await readFile('model.safetensors'))
   * const model = LSTMNet.fromStateDict(tensors, { rename: { lstm: 'lstm_1', fc: 'fc_1' }, onNote: console.log })
   * ```
   */
  static fromStateDict(stateDict: StateDict, options: FromStateDictOptions = {}): LSTMNet {
    checkLoadOptions('LSTMNet.fromStateDict', options, { ...LOAD_OPTIONS, dropout: true })
    const { dropout = 0, onNote, ...load } = options
    requireDropout('LSTMNet.fromStateDict', dropout)
    const shape = lstmNetShape(stateDict, options.rename)
    // Before anything of these sizes is allocated: all of them must be those of the weights.
    const { values, notes } = fitStateDict('LSTMNet', lstmNetParameters('LSTMNet', shape), stateDict, load)
    const model = new LSTMNet({ ...shape, dropout })
    assignValues(model.parameters(), values)
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
  static fromSafetensors(
    file: Uint8Array | ArrayBuffer | SafetensorsFile,
    options: LoadStateDictOptions = {},
  ): LSTMNet {
    checkLoadOptions('LSTMNet.fromSafetensors', options, LOAD_OPTIONS)
    const { onNote, ...load } = options
    const { tensors, metadata } = isDecoded(file) ? file : decodeSafetensors(bytesOf('LSTMNet.fromSafetensors', file))
    const config = readConfig(metadata.config)
    const notes: string[] = []
    const model = LSTMNet.fromStateDict(tensors, {
      ...load,
      dropout: config?.dropout,
      onNote: (note) => notes.push(note),
    })
    try {
      if (config !== undefined) requireConfig(config, model.config)
    } catch (error) {
      model.dispose()
      throw error
    }
    for (const note of notes) onNote?.(note)
    return model
  }

  /**
   * The weights as a safetensors file, under PyTorch's names, with the config in the metadata.
   *
   * @param metadata further texts for the metadata
   */
  toSafetensors(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    return encodeSafetensors(this.stateDict(), { format: 'pt', ...metadata, config: JSON.stringify(this.config) })
  }

  /**
   * @param inputs float32 `[N, T, inputSize]`
   * @returns the logits, float32 `[N, numClasses]`, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor, {@link ShapeError} when the shape does not fit,
   * {@link ModuleDisposedError} when the network was disposed.
   */
  forward(inputs: Tensor3D): Tensor2D {
    this.prepare(inputs)
    return tidy(() => {
      const last = this.config.bidirectional ? this.lastOutput(inputs) : this.lstm.finalHidden(inputs)
      return this.fc.forward(last) as Tensor2D
    })
  }

  /**
   * The logits, and the way back from a gradient by them to the parameters (a vector-Jacobian product, as `jax.vjp` gives), without
   * TensorFlow.js's tape: the numbers of {@link LSTMNet.forward} and its gradients in less time. A training loop may use it in their
   * place.
   *
   * @param inputs float32 `[N, T, inputSize]`
   * @returns undefined where only the tape can: on a backend without fused kernels, in both directions, with dropout, with very many classes, where a parameter is not trainable, inside of another gradient, or in a class that computes something else.
   * @throws {@link TensorError} when the inputs are not a live float32 tensor, {@link ShapeError} when the shape does not fit,
   * {@link ModuleDisposedError} when the network was disposed.
   * @example
   * ```ts
   * const pass = model.vjp(inputs)
   * const gradients = pass?.vjp(gradientByLogits) // { 'lstm_1.weight_ih_l0': [4H, I], … }
   * ```
   */
  vjp(inputs: Tensor3D): LSTMNetVJP | undefined {
    this.prepare(inputs)
    if (!this.canDoWithoutTape(inputs.shape[0])) return undefined
    return lstmNetVJP(inputs, this.fused)
  }

  private canDoWithoutTape(batch: number): boolean {
    const { numLayers, bidirectional, dropout, hiddenSize, numClasses } = this.config
    const isDropped = numLayers > 1 && dropout > 0 && this.training
    return (
      !bidirectional &&
      !isDropped &&
      batch * hiddenSize * numClasses <= FUSED_WORK &&
      canFuse() &&
      !engine().isTapeOn() &&
      this.forward === LSTMNet.prototype.forward &&
      this.fused.all.every(({ trainable }) => trainable)
    )
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. */
  private prepare(inputs: Tensor3D): void {
    this.requireUsable()
    requireTensor('inputs', inputs)
    const { inputSize } = this.config
    const { shape } = inputs
    if (shape.length !== 3 || shape[2] !== inputSize || inputs.size === 0) {
      const nonEmpty = inputs.size === 0 ? ', none of them 0' : ''
      throw new ShapeError(
        `inputs has shape [${shape}], ${classNameOf(this)}(inputSize ${inputSize}) expects [batch, time, ${inputSize}]` +
          `${nonEmpty}${reshapeHint(shape, inputSize)}`,
      )
    }
    bringToCurrentBackend('inputs', inputs)
    bringParameters(this.fused.all)
  }

  /**
   * What computes the network, in words: a run that goes on where this differs differs in its last bits. The training loop notes it in
   * checkpoints.
   *
   * @example
   * ```ts
   * model.computedBy() // kernels with fused multiply-add
   * ```
   */
  computedBy(): string {
    return describeArithmetic()
  }

  /**
   * A table of the layers with their output shapes and parameter counts.
   *
   * @throws {@link ModuleDisposedError} when the network was disposed.
   */
  summary(): string {
    return summarize(this.config, this.parameters())
  }

  /** output[:, −1, :] of a bidirectional LSTM, whose backward side has taken one step there, [N, 2·H]. */
  private lastOutput(inputs: Tensor3D): Tensor2D {
    const { output } = this.lstm.forward(inputs)
    return squeeze(slice(output as Tensor3D, [0, inputs.shape[1] - 1, 0], [-1, 1, -1]), [1])
  }
}

const LSTM_NET_OPTIONS: OptionNames<LSTMNetOptions> = {
  inputSize: true,
  hiddenSize: true,
  numLayers: true,
  numClasses: true,
  bias: true,
  bidirectional: true,
  dropout: true,
  generator: true,
}

function isDecoded(file: unknown): file is SafetensorsFile {
  const { tensors, metadata } = (file ?? {}) as Partial<SafetensorsFile>
  return typeof tensors === 'object' && tensors !== null && typeof metadata === 'object' && metadata !== null
}
