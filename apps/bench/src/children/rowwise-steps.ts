import { DataLoader, type ImageDataset, normalize } from '@rowwise/data-mnist'
import { GRUNet, LSTMNet, type RecurrentNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, trainModel } from '@rowwise/train-loop'
import { tensor3d } from '@tensorflow/tfjs-core'
import type { NetworkShape } from '../workload'
import { StepGate } from './step-gate'

/** A whole training step as the user runs it, from the data loader to Adam: from the end of one batch to the end of the next. */
export function trainingStep(network: NetworkShape, batchSize: number, dataset: ImageDataset): () => Promise<void> {
  const generator = new Generator(0)
  const model = netOf(network, generator)
  const optimizer = new Adam(model)
  const transform = normalize(0.1307, 0.3081)
  const loader = new DataLoader(dataset, { batchSize, shuffle: true, generator, transform, dropLast: true })
  // The loop is the library's; the timer takes it one step at a time.
  const gate = new StepGate()
  const epochs = async (): Promise<void> => {
    for (;;) await trainModel(model, optimizer, crossEntropy, loader, { onBatchEnd: () => gate.stepDone() })
  }
  epochs().catch((error) => gate.fail(error))
  return () => gate.nextStep()
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

function netOf({ time: _, cell, ...shape }: NetworkShape, generator: Generator): RecurrentNet {
  return cell === 'gru' ? new GRUNet({ ...shape, generator }) : new LSTMNet({ ...shape, generator })
}
