import type { BatchEnd, EpochEnd, Resumed, TestResult } from '../events'
import type { Metrics } from '../metrics/metric'
import type { NamedGradients } from '../model'
import type { Monitors } from '../monitor'

/** How a callback ends the run. */
export interface FitControl {
  /** Ends the run after this epoch, or before the first one. */
  stop(): void
}

/** Who is told what happens in {@link fit}; every member may be left out or be async, and an exception ends the run. */
export interface Callbacks<M extends Metrics = Metrics> {
  /** Before the first epoch; `history` and `resumed` say what an earlier run did already, `monitors` what a run can be steered by. */
  onFitBegin?(
    event: { epochs: number; history: readonly EpochEnd<M>[]; resumed?: Resumed; monitors: Monitors },
    control: FitControl,
  ): void | Promise<void>
  /** Before the first step of an epoch, or of what is left of it: `samples` were seen before the run was interrupted. */
  onEpochBegin?(event: { epoch: number; epochs: number; lr: number; samples: number }): void | Promise<void>
  /** Before each step. */
  onBatchBegin?(event: { epoch: number; epochs: number; batch: number }): void | Promise<void>
  /** Between the pullback and each step, with the gradients before they are clipped; they are the loop's. */
  onGradients?(event: { epoch: number; epochs: number; batch: number; gradients: NamedGradients }): void | Promise<void>
  /** After each step. */
  onBatchEnd?(event: BatchEnd & { epoch: number; epochs: number }): void | Promise<void>
  /** Before a checkpoint of this position is written: what should be no older than it goes to disk now. */
  onCheckpoint?(event: { epoch: number; batch: number; step: number }): void | Promise<void>
  /** After an epoch and its evaluation. */
  onEpochEnd?(event: EpochEnd<M>, control: FitControl): void | Promise<void>
  /** After the last epoch, or the one that was cut short; `test` is the evaluation at the end, where there is test data. */
  onFitEnd?(event: { history: readonly EpochEnd<M>[]; test?: TestResult<M> }): void | Promise<void>
}
