import {
  mul,
  slice,
  squeeze,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { requireLengths, requireTensor } from '../check-tensor'
import { ModuleStructureError, ShapeError } from '../errors'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { recompute } from '../recompute'
import type { LayerSummary } from '../summary'

/** What {@link lastStep} makes: see there. */
export class LastStep extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LastStep'
  /** What it takes of a recurrent layer before it. */
  get picks(): 'last' {
    return 'last'
  }

  /**
   * @param inputs float32 `[N, T, F]`
   * @returns float32 `[N, F]`, which the caller disposes
   * @throws {@link TensorError}, {@link ShapeError} and {@link LengthsError} when inputs or lengths do not fit.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor2D {
    const lengths = readSteps(() => this.label(), inputs, context)
    return takeLast(inputs as Tensor3D, lengths)
  }

  /** As {@link Layer.vjp}. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    const { lengths } = options
    return this.hasPullback() ? recompute((x) => this.forward(x, { lengths }), inputs, options) : undefined
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: '[N, T, F] -> [N, F]' }
  }
}

/** What {@link finalHidden} makes: see there. */
export class FinalHidden extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'FinalHidden'
  /** What it takes of the recurrent layer before it. */
  get picks(): 'final' {
    return 'final'
  }

  /** Never by itself. @throws {@link ModuleStructureError} always: the layer before it computes it. */
  forward(): Tensor {
    throw new ModuleStructureError(
      `${this.label()} reads the state of the recurrent layer before it; use it in a Sequential`,
    )
  }

  /** As {@link Layer.vjp}; never by itself. */
  override vjp(): undefined {
    return undefined
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: '[N, T, H] -> [N, H]' }
  }
}

/** What {@link meanOverTime} makes: see there. */
export class MeanOverTime extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'MeanOverTime'

  /**
   * @param inputs float32 `[N, T, F]`
   * @returns float32 `[N, F]`, which the caller disposes
   * @throws {@link TensorError}, {@link ShapeError} and {@link LengthsError} when inputs or lengths do not fit.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor2D {
    const lengths = readSteps(() => this.label(), inputs, context)
    const [batch, time] = inputs.shape
    const scale = Float32Array.from({ length: batch }, (_, row) => 1 / (lengths?.[row] ?? time))
    return tidy(() => mul(sum(withoutPadding(inputs as Tensor3D, lengths), 1), tensor(scale, [batch, 1])))
  }

  /** As {@link Layer.vjp}. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    const { lengths } = options
    return this.hasPullback() ? recompute((x) => this.forward(x, { lengths }), inputs, options) : undefined
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: '[N, T, F] -> [N, F]' }
  }
}

/**
 * A layer that takes each row's last step, by its length where there are lengths: `output[:, -1, :]` in PyTorch. After a
 * recurrent layer only that step is put out. The backward direction of a bidirectional layer has read one step there;
 * {@link finalHidden} takes it after its last.
 *
 * @example
 * ```ts
 * new Sequential(new LSTM({ inputSize: 28, hiddenSize: 64 }), lastStep(), new Linear({ inFeatures: 64, outFeatures: 10 }))
 * ```
 */
export const lastStep = (): LastStep => new LastStep()

/**
 * A layer that takes the final hidden state of the recurrent layer before it, of its last layer, directions side by side, each after
 * all of a row's steps: `torch.cat([hn[-2], hn[-1]], 1)` in PyTorch where there are two directions, else `hn[-1]`.
 *
 * @example
 * ```ts
 * new Sequential(new GRU({ inputSize: 3, hiddenSize: 32, bidirectional: true }), finalHidden(), new Linear({ inFeatures: 64, outFeatures: 5 }))
 * ```
 */
export const finalHidden = (): FinalHidden => new FinalHidden()

/**
 * A layer that takes the mean of each row's steps, by its length where there are lengths.
 *
 * @example
 * ```ts
 * new Sequential(new GRU({ inputSize: 3, hiddenSize: 32 }), meanOverTime(), new Linear({ inFeatures: 32, outFeatures: 5 }))
 * ```
 */
export const meanOverTime = (): MeanOverTime => new MeanOverTime()

/** Each row's last step, `[N, F]`, as TensorFlow.js's operations. */
export function takeLast(inputs: Tensor3D, lengths: ArrayLike<number> | undefined): Tensor2D {
  const [batch, time] = inputs.shape
  return tidy(() => {
    if (lengths === undefined) return squeeze(slice(inputs, [0, time - 1, 0], [-1, 1, -1]), [1])
    return sum(
      chosen(inputs, batch, time, (row, t) => t === lengths[row] - 1),
      1,
    )
  })
}

function withoutPadding(inputs: Tensor3D, lengths: ArrayLike<number> | undefined): Tensor3D {
  const [batch, time] = inputs.shape
  return lengths === undefined ? inputs : chosen(inputs, batch, time, (row, t) => t < lengths[row])
}

/** The steps that are wanted, and zeros instead of the others, which may be NaN. */
function chosen(
  inputs: Tensor3D,
  batch: number,
  time: number,
  isWanted: (row: number, t: number) => boolean,
): Tensor3D {
  const mask = Uint8Array.from({ length: batch * time }, (_, at) => Number(isWanted(Math.floor(at / time), at % time)))
  return where(tensor(mask, [batch, time, 1], 'bool'), inputs, zerosLike(inputs))
}

/** The lengths that go with inputs, both checked. */
function readSteps(owner: () => string, inputs: Tensor, context: LayerContext): Int32Array | undefined {
  requireContext(owner, context)
  const { lengths } = context
  requireTensor(() => `inputs of ${owner()}`, inputs)
  if (inputs.shape.length !== 3 || inputs.size === 0) {
    throw new ShapeError(
      `inputs has shape [${inputs.shape}], ${owner()} expects [batch, time, features], none of them 0`,
    )
  }
  return lengths === undefined ? undefined : requireLengths(lengths, inputs.shape[0], inputs.shape[1])
}
