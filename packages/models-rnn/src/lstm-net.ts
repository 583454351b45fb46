import { canFuse } from '@rowwise/lstm-kernels'
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile, type StateDict } from '@rowwise/safetensors'
import { Generator } from '@rowwise/torch-random'
import { engine, slice, squeeze, type Tensor2D, type Tensor3D, tidy } from '@tensorflow/tfjs-core'
import { ShapeError, StateDictError } from './errors'
import { FUSED_WORK, Linear } from './linear'
import { LSTM } from './lstm/lstm-module'
import { type FusedParameters, fusedParameters, type LSTMNetVJP, lstmNetVJP } from './lstm-net-vjp'
import { type LoadStateDictOptions, Module } from './module'
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

/**
 * The reference network: an LSTM reads the sequence, a linear layer reads its last output. The parameters are
 * `lstm_1.weight_ih_l0` [4H, I], `lstm_1.weight_hh_l0` [4H, H], …, `fc_1.weight` [C, H], `fc_1.bias` [C].
 *
 * @throws {@link ModuleOptionError} when an option is out of range.
 * @example
 * ```ts
 * const model = new LSTMNet({ inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10, generator: new Generator(0) })
 * const logits = model.forward(inputs) // [N, 28, 28] → [N, 10]
 * ```
 */
export class LSTMNet extends Module {
  /** Every option of the shape, defaults filled in. */
  readonly config: Required<LSTMNetConfig>
  private readonly lstm: LSTM
  private readonly fc: Linear
  private readonly fused: FusedParameters

  constructor(options: LSTMNetOptions = {}) {
    super()
    const { inputSize = 28, hiddenSize = 64, numLayers = 1, numClasses = 10 } = options
    const { bias = true, bidirectional = false, dropout = 0, generator = new Generator() } = options
    this.config = { inputSize, hiddenSize, numLayers, numClasses, bias, bidirectional, dropout }
    this.lstm = this.registerModule('lstm_1', new LSTM({ ...this.config, generator }))
    const inFeatures = this.lstm.outputSize
    this.fc = this.registerModule('fc_1', new Linear({ inFeatures, outFeatures: numClasses, generator }))
    this.fused = fusedParameters(this.parameters(), numLayers)
  }

  /**
   * Builds the network that a state dict belongs to, reading every size from the names and shapes, and takes over its weights.
   *
   * @throws {@link StateDictError} when it is no state dict of an LSTMNet.
   * @example
   * ```ts
   * const model = LSTMNet.fromStateDict(decodeSafetensors(await readFile('model.safetensors')).tensors)
   * ```
   */
  static fromStateDict(stateDict: StateDict, options: LoadStateDictOptions & { dropout?: number } = {}): LSTMNet {
    const model = new LSTMNet({ ...configOf(stateDict), dropout: options.dropout })
    try {
      model.loadStateDict(stateDict, options)
    } catch (error) {
      model.dispose()
      throw error
    }
    return model
  }

  /**
   * Reads a safetensors file, ours or PyTorch's: sizes from names and shapes, and from the metadata, where it has a `config`,
   * what shapes do not show.
   *
   * @param file its bytes, or what `decodeSafetensors` made of them
   * @throws {@link SafetensorsError} when it is no such file, {@link StateDictError} when it holds another model, or a config
   * that is not that of its weights.
   * @example
   * ```ts
   * const model = LSTMNet.fromSafetensors(await readFile('model.safetensors'))
   * ```
   */
  static fromSafetensors(file: Uint8Array | SafetensorsFile, options: LoadStateDictOptions = {}): LSTMNet {
    const { tensors, metadata } = file instanceof Uint8Array ? decodeSafetensors(file) : file
    const config = parseConfig(metadata.config)
    const model = LSTMNet.fromStateDict(tensors, { ...options, dropout: config?.dropout })
    const wrong = Object.entries(config ?? {}).filter(
      ([name, value]) => model.config[name as keyof LSTMNetConfig] !== value,
    )
    if (wrong.length > 0) {
      model.dispose()
      const list = wrong.map(([name, value]) => `${name} ${value}`).join(', ')
      throw new StateDictError(`the file's config says ${list}, its weights do not; take both from the same model`)
    }
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
   * @throws {@link ShapeError} when the shape does not fit.
   */
  forward(inputs: Tensor3D): Tensor2D {
    this.checkShape(inputs)
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
   * @throws {@link ShapeError} when the shape does not fit.
   * @example
   * ```ts
   * const pass = model.vjp(inputs)
   * const gradients = pass?.vjp(gradientByLogits) // { 'lstm_1.weight_ih_l0': [4H, I], … }
   * ```
   */
  vjp(inputs: Tensor3D): LSTMNetVJP | undefined {
    this.checkShape(inputs)
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

  private checkShape(inputs: Tensor3D): void {
    const { inputSize } = this.config
    if (inputs.shape.length !== 3 || inputs.shape[2] !== inputSize) {
      throw new ShapeError(
        `inputs has shape [${inputs.shape}], LSTMNet(inputSize ${inputSize}) expects [batch, time, ${inputSize}]; ` +
          `reshape it, e.g. to [${inputs.shape[0] ?? 1}, ${Math.floor(inputs.size / (inputs.shape[0] || 1) / inputSize)}, ${inputSize}]`,
      )
    }
  }

  /** A table of the layers with their output shapes and parameter counts. */
  summary(): string {
    return summarize(this.config, this.parameters())
  }

  /** output[:, −1, :] of a bidirectional LSTM, whose backward side has taken one step there, [N, 2·H]. */
  private lastOutput(inputs: Tensor3D): Tensor2D {
    const { output } = this.lstm.forward(inputs)
    return squeeze(slice(output as Tensor3D, [0, inputs.shape[1] - 1, 0], [-1, 1, -1]), [1])
  }
}

/** The config in a file's metadata; undefined where there is none, or another program's. */
function parseConfig(text: string | undefined): LSTMNetConfig | undefined {
  try {
    const config = JSON.parse(text ?? '')
    return 'inputSize' in config && 'hiddenSize' in config ? config : undefined
  } catch {
    return undefined
  }
}

function configOf(stateDict: StateDict): Required<Omit<LSTMNetConfig, 'dropout'>> {
  const shapeOf = (name: string): readonly number[] => {
    const value = Object.hasOwn(stateDict, name) ? stateDict[name] : undefined
    if (value?.shape.length !== 2) {
      const found = value === undefined ? `no ${name}` : `${name} with shape [${value.shape}]`
      throw new StateDictError(
        `the state dict has ${found}, an LSTMNet's has a matrix of that name; is it another model's?`,
      )
    }
    return value.shape
  }
  const names = Object.keys(stateDict)
  const [gates, inputSize] = shapeOf('lstm_1.weight_ih_l0')
  const hiddenSize = shapeOf('lstm_1.weight_hh_l0')[1]
  const numClasses = shapeOf('fc_1.weight')[0]
  // Before anything of these sizes is allocated: they must at least agree with each other.
  if (gates !== 4 * hiddenSize || gates * inputSize * numClasses === 0) {
    throw new StateDictError(
      `lstm_1.weight_ih_l0 has shape [${gates}, ${inputSize}], fc_1.weight ${numClasses} rows; with lstm_1.weight_hh_l0 of ` +
        `${hiddenSize} columns an LSTMNet has [${4 * hiddenSize}, inputSize] and at least one row`,
    )
  }
  return {
    inputSize,
    hiddenSize,
    numClasses,
    numLayers: names.filter((name) => /^lstm_1\.weight_ih_l\d+$/.test(name)).length,
    bias: names.includes('lstm_1.bias_ih_l0'),
    bidirectional: names.includes('lstm_1.weight_ih_l0_reverse'),
  }
}
