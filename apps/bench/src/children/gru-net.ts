import { finalHiddenVJP, type KernelVJP, linearVJP, type RecurrentWeightTensors, recurrent } from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import type { ModelVJP, NamedParameters, Trainable } from '@rowwise/train-loop'
import * as tf from '@tensorflow/tfjs-core'
import type { NetworkShape } from '../workload'

/** The reference network with a GRU instead of its LSTM: what a user's program does with the kernels and the loop. */
export class GRUNet implements Trainable {
  private readonly named: Record<string, tf.Variable>

  constructor({ inputSize, hiddenSize, numClasses }: NetworkShape, generator: Generator) {
    const bound = 1 / Math.sqrt(hiddenSize)
    const draw = (...shape: number[]): tf.Variable => {
      const values = new Float32Array(tf.util.sizeFromShape(shape))
      return tf.variable(tf.tensor(generator.uniform(values, -bound, bound), shape))
    }
    this.named = {
      weightIh: draw(3 * hiddenSize, inputSize),
      weightHh: draw(3 * hiddenSize, hiddenSize),
      biasIh: draw(3 * hiddenSize),
      biasHh: draw(3 * hiddenSize),
      weight: draw(numClasses, hiddenSize),
      bias: draw(numClasses),
    }
  }

  parameters(): NamedParameters {
    return this.named
  }

  stateDict(): NamedParameters {
    return this.named
  }

  loadStateDict(): void {
    throw new Error('this network is only timed')
  }

  forward(inputs: tf.Tensor3D): tf.Tensor {
    const { h } = recurrent(inputs, this.layer(), { cell: 'gru', returnOutput: false })
    return tf.add(tf.matMul(h, this.named.weight as tf.Variable<tf.Rank.R2>, false, true), this.named.bias)
  }

  vjp(inputs: tf.Tensor3D): ModelVJP {
    const { weight, bias } = this.named
    const hidden: KernelVJP<RecurrentWeightTensors[]> = finalHiddenVJP('gru', inputs, [this.layer()])
    const logits = linearVJP(hidden.values, weight as never, bias as never)
    return {
      outputs: logits.values,
      shape: [inputs.shape[0], weight.shape[0]],
      vjp(upstream) {
        const { inputs: gradient, weight: ofWeight, bias: ofBias } = logits.vjp(upstream)
        return { ...hidden.vjp(gradient)[0], weight: ofWeight, bias: ofBias as tf.Tensor }
      },
      release: hidden.release,
    }
  }

  private layer(): RecurrentWeightTensors {
    const { weightIh, weightHh, biasIh, biasHh } = this.named
    return { weightIh, weightHh, biasIh, biasHh } as unknown as RecurrentWeightTensors
  }
}
