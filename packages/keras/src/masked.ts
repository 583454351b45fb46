import {
  type Layer,
  type LayerContext,
  type LayerVJP,
  type SequenceInputs,
  Sequential,
  type VJPOptions,
} from '@rowwise/models-rnn'
import { Tensor } from '@tensorflow/tfjs-core'
import { KerasUnsupportedError } from './errors'

/**
 * Layers whose first one masks, in Keras `Masking` or `Embedding(mask_zero=True)`: the steps that the mask leaves out
 * at the end of a row are not computed. The lengths of the rows are found in the inputs, unless they are given.
 */
export class MaskedSequential extends Sequential {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'MaskedSequential'

  /** @param maskValue a step is masked where all its features, or its index, are this */
  constructor(
    layers: Readonly<Record<string, Layer>>,
    readonly maskValue: number,
  ) {
    super(layers)
  }

  /**
   * As {@link Sequential.forward}.
   *
   * @throws {@link KerasUnsupportedError} where a mask leaves out a step before the last one of a row, or a whole row.
   */
  override forward(inputs: Tensor | SequenceInputs, context: LayerContext = {}): Tensor {
    return super.forward(inputs, this.told(inputs, context))
  }

  /** As {@link Sequential.vjp}. */
  override vjp(inputs: Tensor | SequenceInputs, options: VJPOptions = {}): LayerVJP | undefined {
    return super.vjp(inputs, this.told(inputs, options))
  }

  private told<Context extends LayerContext>(inputs: Tensor | SequenceInputs, context: Context): Context {
    if (!(inputs instanceof Tensor) || context.lengths !== undefined) return context
    return { ...context, lengths: lengthsOf(inputs, this.maskValue) }
  }
}

/** The steps of each row until those that are masked, `[N]`. */
function lengthsOf(inputs: Tensor, maskValue: number): Int32Array {
  const [batch, time, features = 1] = inputs.shape
  const values = inputs.dataSync()
  const masked = Math.fround(maskValue) // as the inputs are
  return Int32Array.from({ length: batch }, (_, row) => {
    const isMasked = (t: number): boolean => {
      const start = (row * time + t) * features
      return values.subarray(start, start + features).every((value) => value === masked)
    }
    let length = time
    while (length > 0 && isMasked(length - 1)) length -= 1
    for (let t = 0; t < length; t++) {
      if (isMasked(t))
        throw new KerasUnsupportedError(
          `row ${row} has a masked step, ${t}, before its last one, ${length - 1}; only the end of a row may be masked here: accelerate tf.layers instead`,
        )
    }
    if (length === 0) throw new KerasUnsupportedError(`row ${row} is masked as a whole; leave it out`)
    return length
  })
}
