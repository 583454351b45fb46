import { DataLoader, type ImageDataset, normalize } from '@rowwise/data-mnist'
import { Embedding, finalHidden, GRUNet, Linear, LSTM, LSTMNet, Sequential } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, type Batch, type BatchSource, crossEntropy, trainModel } from '@rowwise/train-loop'
import { tensor1d, tensor2d, tensor3d } from '@tensorflow/tfjs-core'
import { lengthsOf, type NetworkShape } from '../workload'
import { StepGate } from './step-gate'
import { watched } from './watched-loader'

/** A whole training step as the user runs it, from the data to Adam: from the end of one batch to the end of the next. */
export function trainingStep(network: NetworkShape, batchSize: number, dataset: ImageDataset): () => Promise<void> {
  const generator = new Generator(0)
  const model = netOf(network, generator)
  const optimizer = new Adam(model)
  // The loop is the library's; the timer takes it one step at a time.
  const gate = new StepGate()
  const source = sourceOf(network, batchSize, dataset, generator)
  const epochs = async (): Promise<void> => {
    for (;;) await trainModel(model, optimizer, crossEntropy, source, { onBatchEnd: () => gate.stepDone() })
  }
  epochs().catch((error) => gate.fail(error))
  return () => gate.nextStep()
}

/** Steps of an epoch where all have the same batch. */
const STEPS = 100

/** Images from a loader; texts, and rows with lengths, from an array of batches. */
function sourceOf(network: NetworkShape, batch: number, dataset: ImageDataset, generator: Generator): BatchSource {
  const { time, inputSize, numClasses, lengths, vocabulary } = network
  if (vocabulary !== undefined) {
    const text = (step: number) =>
      tensor2d(
        Int32Array.from({ length: batch * time }, (_, at) => (at * step) % vocabulary),
        [batch, time],
        'int32',
      )
    return new Array<Batch>(STEPS).fill({ inputs: text(7), targets: text(5) })
  }
  if (lengths) {
    const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
    const inputs = { inputs: tensor3d(values, [batch, time, inputSize]), lengths: lengthsOf(batch, time) }
    const targets = tensor1d(Int32Array.from({ length: batch }, (_, row) => row % numClasses))
    return new Array<Batch>(STEPS).fill({ inputs, targets })
  }
  const transform = normalize(0.1307, 0.3081)
  return watched(new DataLoader(dataset, { batchSize: batch, shuffle: true, generator, transform, dropLast: true }))
}

/** A prediction whose logits are read back. */
export function predictionStep(network: NetworkShape, batch: number): () => unknown {
  const model = netOf(network, new Generator(0))
  const { time, inputSize } = network
  const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
  const inputs = tensor3d(values, [batch, time, inputSize])
  return () => {
    const logits = model.forward(inputs)
    const values = logits.dataSync() // outside of a tidy, which would look for tensors in every element
    logits.dispose()
    return values
  }
}

function netOf({ time: _, cell, lengths, vocabulary, ...shape }: NetworkShape, generator: Generator): Sequential {
  const { inputSize, hiddenSize, numLayers, numClasses, bidirectional = false } = shape
  if (vocabulary !== undefined) {
    return new Sequential({
      embedding: new Embedding({ numEmbeddings: vocabulary, embeddingDim: inputSize, generator }),
      lstm: new LSTM({ inputSize, hiddenSize, numLayers, generator }),
      fc: new Linear({ inFeatures: hiddenSize, outFeatures: numClasses, generator }),
    })
  }
  if (lengths) {
    const lstm = new LSTM({ inputSize, hiddenSize, numLayers, bidirectional, generator })
    const fc = new Linear({ inFeatures: lstm.outputSize, outFeatures: numClasses, generator })
    return new Sequential({ lstm, final: finalHidden(), fc })
  }
  return cell === 'gru' ? new GRUNet({ ...shape, generator }) : new LSTMNet({ ...shape, generator })
}
