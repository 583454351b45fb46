// The steps of a network of tf.layers, in Node and in a browser.
import { configureKernels, kernelReport } from '@rowwise/rnn-kernels'
import { accelerate } from '@rowwise/tfjs-layers'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import type { ChildTask, Workload } from '../workload'
import type { Timed } from './timing'

/** Batches of one call of `fit`. */
const BATCHES = 8

/** Makes the network ready, and what times it. */
export function layersSteps(layers: typeof Layers, { network, threads, kernels, layers: how }: ChildTask): Timed {
  const { accelerated = false, fit = false } = how ?? {}
  if (accelerated) {
    configureKernels({ threads, path: (kernels ?? 'auto') as 'auto' })
    accelerate(layers)
  }
  const model = newModel(layers, network)
  return {
    tensors: () => tf.memory().numTensors,
    ...(accelerated && { busy: () => kernelReport().milliseconds }),
    ...(fit && { stepsPerCall: BATCHES }),
    async prepare({ kind, batch }) {
      if (kind === 'predict') return predictionStep(model, inputsOf(network, batch))
      if (!fit) {
        const [inputs, targets] = [inputsOf(network, batch), targetsOf(network, batch)]
        return () => model.trainOnBatch(inputs, targets)
      }
      const [inputs, targets] = [inputsOf(network, BATCHES * batch), targetsOf(network, BATCHES * batch)]
      return () => model.fit(inputs, targets, { epochs: 1, batchSize: batch, verbose: 0 })
    },
  }
}

function newModel(
  layers: typeof Layers,
  { time, inputSize, hiddenSize, numClasses, numLayers }: ChildTask['network'],
): Layers.Sequential {
  const model = layers.sequential()
  for (let layer = 0; layer < numLayers; layer++) {
    const returnSequences = layer < numLayers - 1
    const inputShape = layer === 0 ? { inputShape: [time, inputSize] } : {}
    model.add(
      layers.layers.lstm({ units: hiddenSize, returnSequences, recurrentInitializer: 'glorotUniform', ...inputShape }),
    )
  }
  model.add(layers.layers.dense({ units: numClasses, activation: 'softmax' }))
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' })
  return model
}

function inputsOf({ time, inputSize }: ChildTask['network'], batch: Workload['batch']): tf.Tensor {
  const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
  return tf.tensor3d(values, [batch, time, inputSize])
}

function targetsOf({ numClasses }: ChildTask['network'], batch: number): tf.Tensor {
  const labels = new Float32Array(batch * numClasses)
  for (let sample = 0; sample < batch; sample++) labels[sample * numClasses + (sample % numClasses)] = 1
  return tf.tensor2d(labels, [batch, numClasses])
}

function predictionStep(model: Layers.Sequential, inputs: tf.Tensor): () => unknown {
  return () => {
    const outputs = model.predictOnBatch(inputs) as tf.Tensor
    const values = outputs.dataSync() // outside of a tidy, which would look for tensors in every element
    outputs.dispose()
    return values
  }
}
