import type { Resumed } from '../checkpoints/checkpointer'
import type { TestResult } from '../test-model'
import type { BatchEnd } from '../train-model'

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

/** How a callback ends the run. */
export interface FitControl {
  /** Ends the run after this epoch, or before the first one. */
  stop(): void
}

/** Who is told what happens in {@link fit}; every member may be left out or be async, and an exception ends the run. */
export interface Callbacks {
  /** Before the first epoch; `history` and `resumed` say what an earlier run did already. */
  onFitBegin?(
    event: { epochs: number; history: readonly EpochEnd[]; resumed?: Resumed },
    control: FitControl,
  ): void | Promise<void>
  /** Before the first step of an epoch, or of what is left of it: `samples` were seen before the run was interrupted. */
  onEpochBegin?(event: { epoch: number; epochs: number; lr: number; samples: number }): void | Promise<void>
  /** Before each step. */
  onBatchBegin?(event: { epoch: number; epochs: number; batch: number }): void | Promise<void>
  /** After each step. */
  onBatchEnd?(event: BatchEnd & { epoch: number; epochs: number }): void | Promise<void>
  /** Before a checkpoint of this position is written: what should be no older than it goes to disk now. */
  onCheckpoint?(event: { epoch: number; batch: number; step: number }): void | Promise<void>
  /** After an epoch and its evaluation. */
  onEpochEnd?(event: EpochEnd, control: FitControl): void | Promise<void>
  /** After the last epoch, or the one that was cut short. */
  onFitEnd?(event: { history: readonly EpochEnd[] }): void | Promise<void>
}
