/** What is known after a training step. */
export interface BatchEnd {
  /** Steps of this epoch so far, this one included. */
  batch: number
  /** Samples of this epoch so far, this batch's included. */
  samples: number
  /** This batch's loss; asking waits for the device. */
  loss(): number
  /** The mean loss of this epoch so far; asking waits for the device. */
  meanLoss(): number
  /** The sum of this epoch's losses over its samples so far; asking waits for the device. */
  lossSum(): number
}

/** How well a model classifies. */
export interface TestResult {
  /** Mean loss over the samples; NaN when the signal came before the first. */
  loss: number
  /** Samples whose largest output is their target. */
  correct: number
  /** Samples seen. */
  total: number
  /** `confusion[target][predicted]`: how often a sample of one class was taken for another. */
  confusion: number[][]
}

/** What an epoch of {@link fit} brought. */
export interface EpochEnd {
  /** Counted from 1. */
  epoch: number
  /** Epochs that were asked for. */
  epochs: number
  /** Learning rate of this epoch. */
  lr: number
  /** Mean training loss, each sample as of its own step. */
  trainLoss: number
  /** Samples trained on. */
  samples: number
  /** Seconds of training, evaluation not counted. */
  seconds: number
  /** The evaluation after this epoch; absent when there is no test data. */
  test?: TestResult
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
