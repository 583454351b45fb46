import { join } from 'node:path'
import type { RecurrentNet } from '@rowwise/models-rnn'
import type { Callbacks, Metrics, NamedGradients, TestResult } from '@rowwise/train-loop'
import type { Task } from '../run/task'
import { EventFile } from './event-file'
import { confusionPicture, histogram, hparams, scalar, sessionEnd } from './values'

/** What is written into event files. */
interface Written<M extends Metrics> {
  model: RecurrentNet
  settings: Readonly<Record<string, unknown>>
  stepsPerEpoch: number
  shown: Pick<Task<M>, 'shown'> & { evaluated: string }
}

/**
 * Event files for TensorBoard: the loss of each step, numbers of each epoch, histograms of weights and gradients, a picture of the confusion
 * matrix, and the settings.
 */
export function intoTensorBoard<M extends Metrics>(
  runPath: string,
  { model, settings, stepsPerEpoch, shown }: Written<M>,
): Callbacks<M> {
  let file: EventFile | undefined
  let step = 0
  let gradients: Record<string, Float32Array> = {}
  const steered = shown.evaluated === 'Test set' ? 'test' : 'validation'
  const evaluated = (name: string, result: TestResult<M>): Uint8Array[] => {
    const { correct, total, confusion, ...numbers } = shown.shown(result) as Record<string, never>
    const scalars = correct === undefined ? numbers : { ...numbers, accuracy: correct / total }
    return [
      ...Object.entries(scalars).map(([key, value]) => scalar(`${name}/${key}`, value)),
      ...(confusion ? [confusionPicture(`${name}/confusion`, confusion)] : []),
    ]
  }
  return {
    async onFitBegin({ resumed }) {
      step = resumed?.step ?? 0
      file = await EventFile.create(join(runPath, 'tensorboard'))
      file.add(step, hparams(settings, ['epoch/trainLoss', `${steered}/loss`]))
    },
    async onGradients({ batch, gradients: found }) {
      if (batch === stepsPerEpoch) gradients = await readAll(found)
    },
    async onBatchEnd({ loss }) {
      step += 1
      file?.add(step, [scalar('step/loss', await loss())])
    },
    onCheckpoint: () => file?.flush(),
    async onEpochEnd({ lr, trainLoss, samples, seconds, validation }) {
      const weights = await Promise.all(
        Object.entries(model.stateDict()).map(async ([name, tensor]) =>
          histogram(`weights/${name}`, await tensor.data<'float32'>()),
        ),
      )
      file?.add(step, [
        ...[
          scalar('epoch/trainLoss', trainLoss),
          scalar('epoch/lr', lr),
          scalar('epoch/samplesPerSecond', samples / seconds),
        ],
        ...(validation ? evaluated(steered, validation) : []),
        ...weights,
        ...Object.entries(gradients).map(([name, values]) => histogram(`gradients/${name}`, values)),
      ])
      await file?.flush()
    },
    async onFitEnd({ test }) {
      if (test) file?.add(step, evaluated('test', test))
      file?.add(step, [sessionEnd()])
      await file?.close()
    },
  }
}

async function readAll(found: NamedGradients): Promise<Record<string, Float32Array>> {
  const named = Object.entries(found).map(async ([name, gradient]) => [
    name,
    (await gradient.data<'float32'>()).slice(),
  ])
  return Object.fromEntries(await Promise.all(named))
}
