import type { Metrics, MetricValues } from './metrics/metric'

/** What is known after a training step. */
export interface BatchEnd {
  /** Steps of this epoch so far, this one included. */
  batch: number
  /** Samples of this epoch so far, this batch's included. */
  samples: number
  /** This batch's loss; asking waits for the device. */
  loss(): Promise<number>
  /** The mean loss of this epoch so far; asking waits for the device. */
  meanLoss(): Promise<number>
  /** The sum of this epoch's losses over its samples so far; asking waits for the device. */
  lossSum(): Promise<number>
}

/** What an evaluation found. */
export interface TestResult<M extends Metrics = Metrics> {
  /** Mean loss over the samples; NaN when the signal came before the first. */
  loss: number
  /** Samples seen. */
  samples: number
  /** The value of each metric, by its name. */
  metrics: MetricValues<M>
}

/** What an epoch of {@link fit} brought. */
export interface EpochEnd<M extends Metrics = Metrics> {
  /** Counted from 1. */
  epoch: number
  /** Epochs that were asked for. */
  epochs: number
  /** Learning rate of this epoch, of the first group of parameters; at its end, where it changes by steps. */
  lr: number
  /** Mean training loss, each sample as of its own step. */
  trainLoss: number
  /** Samples trained on. */
  samples: number
  /** Seconds of training, evaluation not counted. */
  seconds: number
  /** Of them, those of waiting for batches. */
  dataSeconds: number
  /** The evaluation after this epoch; absent when there is no validation data. */
  validation?: TestResult<M>
}

/** How a run was taken up again. */
export interface Resumed {
  /** The directory. */
  directory: string
  /** Steps of the whole run that were taken. */
  step: number
  /** The epoch under way. */
  epoch: number
  /** Steps of that epoch that were taken. */
  batch: number
  /** What computed it up to there, and what does now; where they differ the numbers do in their last digits. */
  computedBy: {
    /** What the checkpoint was made by. */
    before: string
    /** What goes on. */
    now: string
  }
  /** Newer checkpoints that were passed over, each with the reason. */
  skipped: readonly string[]
}
