// Times tfjs-layers: its own LSTM, loss and Adam; `trainOnBatch` is one step.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { Generator } from '@rowwise/torch-random'
import '@rowwise/train-loop' // registers TensorFlow.js's gradients
import * as tf from '@tensorflow/tfjs-core'
import { readTask, serve } from './serve'

const task = readTask()
const layers = await import('@tensorflow/tfjs-layers')
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
const { time, inputSize, hiddenSize, numClasses, numLayers } = task.network
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

await serve({
  description: `tfjs-layers ${layers.version_layers}, ${backend.name} backend`,
  tensors: () => tf.memory().numTensors,
  async prepare({ kind, batch }) {
    const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
    const inputs = tf.tensor3d(values, [batch, time, inputSize])
    const labels = new Float32Array(batch * numClasses)
    for (let sample = 0; sample < batch; sample++) labels[sample * numClasses + (sample % numClasses)] = 1
    const targets = tf.tensor2d(labels, [batch, numClasses])
    if (kind === 'train') return () => model.trainOnBatch(inputs, targets)
    return () => {
      const outputs = model.predictOnBatch(inputs) as tf.Tensor
      const values = outputs.dataSync() // outside of a tidy, which would look for tensors in every element
      outputs.dispose()
      return values
    }
  },
})
