// The loop
export { type FitOptions, type FitResult, fit } from './fit'
export { type EpochProgress, type TrainModelOptions, type TrainResult, trainModel } from './train-model'
export { type TestModelOptions, testModel } from './test-model'
export type { BatchEnd, EpochEnd, Resumed, TestResult } from './events'

// Losses
export { crossEntropy } from './losses/cross-entropy'
export { nllLoss } from './losses/nll-loss'
export type { LossOptions, Reduction } from './losses/reduction'

// Optimizers and gradients
export { Adam, type AdamOptions, type AdamState } from './optimizers/adam'
export type { Optimizer } from './optimizers/optimizer'
export { cosineAnnealingLR, type Schedule, stepLR } from './schedules'
export { type ValueAndGradients, valueAndGradients } from './gradients'
export { type ClippedGradients, clipGradientNorm, gradientNorm } from './clip-gradients'

// Callbacks
export type { Callbacks, FitControl } from './callbacks/callbacks'
export { type EarlyStoppingOptions, earlyStopping } from './callbacks/early-stopping'

// Checkpoints
export type { CheckpointOptions, ResumableSource, StatefulGenerator } from './checkpoints/checkpointer'
export { type Checkpoint, loadCheckpoint } from './checkpoints/load-checkpoint'
export type { ArrayWithShape, StateDict } from '@rowwise/safetensors'

// What can be trained
export type {
  Batch,
  BatchInputs,
  BatchSource,
  LossFunction,
  LossVJP,
  ModelGradients,
  ModelVJP,
  NamedGradients,
  NamedParameters,
  Trainable,
} from './model'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { DirectoryInUseError } from '@rowwise/directory-lock'
export {
  CheckpointMismatchError,
  CheckpointReadError,
  CheckpointWriteError,
  EmptySourceError,
  NonFiniteError,
  OptimizerStateError,
  TargetError,
  TrainOptionError,
} from './errors'
