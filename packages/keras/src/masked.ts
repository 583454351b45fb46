import {
  type Layer,
  type LayerContext,
  type LayerVJP,
  type SequenceInputs,
  Sequential,
  type VJPOptions,
} from '@rowwise/models-rnn'
import { gather, reshape, Tensor, tidy } from '@tensorflow/tfjs-core'
import { KerasUnsupportedError } from './errors'

/** What a {@link MaskedSequential} masks. */
export interface MaskOptions {
  /** A step is masked where all its features, or its index, are this. */
  value: number
  /** Whether the outputs are those of all steps, not one for each row. */
  putsOutSteps: boolean
}

/**
 * Layers whose first one masks, in Keras `Masking` or `Embedding(mask_zero=True)`: the steps that the mask leaves out
 * are not computed. The lengths of the rows are found in the inputs, unless they are given; steps that are masked before
 * the end of a row are left out by moving the others to its front.
 */
export class MaskedSequential extends Sequential {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'MaskedSequential'
  /** A step is masked where all its features, or its index, are this. */
  readonly maskValue: number
  private readonly putsOutSteps: boolean

  constructor(layers: Readonly<Record<string, Layer>>, { value, putsOutSteps }: MaskOptions) {
    super(layers)
    this.maskValue = value
    this.putsOutSteps = putsOutSteps
  }

  /**
   * As {@link Sequential.forward}.
   *
   * @throws {@link KerasUnsupportedError} where a mask leaves out a whole row, or, in a model that puts out all steps, a
   * step before the last one of a row.
   */
  override forward(inputs: Tensor | SequenceInputs, context: LayerContext = {}): Tensor {
    const plan = this.plan(inputs, context)
    if (plan === undefined) return super.forward(inputs, context)
    const { lengths, order } = plan
    return tidy(() => super.forward(order ? rowsInOrder(inputs as Tensor, order) : inputs, { ...context, lengths }))
  }

  /** As {@link Sequential.vjp}; undefined where steps have to be moved, which the tape then records. */
  override vjp(inputs: Tensor | SequenceInputs, options: VJPOptions = {}): LayerVJP | undefined {
    const plan = this.plan(inputs, options)
    if (plan?.order) return undefined
    return super.vjp(inputs, plan ? { ...options, lengths: plan.lengths } : options)
  }

  private plan(inputs: Tensor | SequenceInputs, { lengths }: LayerContext): Plan | undefined {
    if (!(inputs instanceof Tensor) || lengths !== undefined) return undefined
    const plan = planOf(inputs, this.maskValue)
    if (plan.order && this.putsOutSteps)
      throw new KerasUnsupportedError(
        `row ${plan.row} has a masked step before its last one; in a model that puts out all steps only the end of a row may be masked: accelerate tf.layers instead`,
      )
    return plan
  }
}

interface Plan {
  /** Steps of each row that are not masked, `[N]`. */
  lengths: Int32Array
  /** Where the steps come from, `[N·T]`, if some are moved to the front of their row. */
  order?: Int32Array
  /** The first row with such a step. */
  row?: number
}

function planOf(inputs: Tensor, maskValue: number): Plan {
  const [batch, time, features = 1] = inputs.shape
  const values = inputs.dataSync()
  const masked = Math.fround(maskValue) // as the inputs are
  const isMasked = (step: number): boolean =>
    values.subarray(step * features, (step + 1) * features).every((value) => value === masked)
  const lengths = new Int32Array(batch)
  const order = new Int32Array(batch * time)
  let moved: number | undefined
  for (let row = 0; row < batch; row++) {
    const [start, end] = [row * time, (row + 1) * time]
    let place = start
    for (let step = start; step < end; step++) {
      if (isMasked(step)) continue
      if (step !== place) moved ??= row
      order[place++] = step
    }
    if (place === start) throw new KerasUnsupportedError(`row ${row} is masked as a whole; leave it out`)
    lengths[row] = place - start
    order.fill(start, place, end) // past the length, where no step is computed
  }
  return moved === undefined ? { lengths } : { lengths, order, row: moved }
}

/** `[N, T, …]` with its steps in another order. */
function rowsInOrder(inputs: Tensor, order: Int32Array): Tensor {
  const [batch, time, ...rest] = inputs.shape
  return reshape(gather(reshape(inputs, [batch * time, ...rest]), order), [batch, time, ...rest])
}
