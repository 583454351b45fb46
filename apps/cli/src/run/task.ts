import type { RecurrentNet } from '@rowwise/models-rnn'
import { GRUNet, LSTMNet, RNNNet } from '@rowwise/models-rnn'
import type { Generator } from '@rowwise/torch-random'
import type { BatchSource, LossFunction, Metrics, ResumableSource, TestResult } from '@rowwise/train-loop'
import type { RunSettings } from './settings'

/** What a run learns: its data, its network, and how an evaluation is shown. */
export interface Task<M extends Metrics = Metrics> {
  /** Samples that are trained on. */
  samples: number
  /** The batches; those of training draw from the generator. */
  loaders(generator: Generator): { train: TrainSource; validation?: BatchSource; test: BatchSource }
  makeModel(generator: Generator): RecurrentNet
  loss: LossFunction
  metrics: M
  /** Everything that decides what the run computes, beside the settings. */
  decisive: Readonly<Record<string, unknown>>
  /** What a weights file says of itself, so that `test` and `predict` know what it is for. */
  metadata: object
  /** What is trained on, in lines. */
  header: string[]
  /** An evaluation for machines. */
  shown(result: TestResult<M>): object
  /** An evaluation for people; `name` is `Test set` or `Validation set`. */
  line(name: string, result: TestResult<M>): string
}

/** Batches whose number is known, and that a checkpoint can go back to. */
export type TrainSource = BatchSource & ResumableSource & { readonly length: number }

/** The network of each cell. */
const NETS = { lstm: LSTMNet, gru: GRUNet, rnn: RNNNet } as const

/** The network of the settings. */
export function makeNet(
  { cell, hiddenSize, numLayers, bidirectional, dropout }: RunSettings,
  sizes: { inputSize: number; numClasses: number },
  generator: Generator,
): RecurrentNet {
  return new NETS[cell]({ ...sizes, hiddenSize, numLayers, bidirectional, dropout, generator })
}
