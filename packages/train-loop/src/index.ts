// The loop
export { type FitOptions, type FitResult, fit } from './fit'
export { type EpochProgress, type TrainModelOptions, type TrainResult, trainModel } from './train-model'
export { type TestModelOptions, testModel } from './test-model'
export { type PredictOptions, predict } from './predict'
export type { BatchEnd, EpochEnd, Resumed, TestResult } from './events'

// Losses
export { type BCEWithLogitsOptions, bceWithLogits } from './losses/bce-with-logits'
export type { ClassLossOptions } from './losses/class-targets'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy'
export type { Loss, LossOptions, Reduction } from './losses/define-loss'
export { nllLoss } from './losses/nll-loss'
export {
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from './losses/regression'

// Metrics
export {
  type AveragedMetric,
  type AverageOptions,
  accuracy,
  type ClassMetricOptions,
  confusion,
  f1,
  perplexity,
  precision,
  recall,
  type TopKOptions,
  topK,
} from './metrics/classification'
export { meanAbsoluteError, r2, rootMeanSquaredError } from './metrics/regression'
export type { BetterWhen, Metric, Metrics, MetricValues, TensorValues } from './metrics/metric'
export type { Monitors } from './monitor'

// Optimizers and gradients
export { Adam, type AdamSettings, AdamW } from './optimizers/adam'
export { RMSprop, type RMSpropSettings } from './optimizers/rmsprop'
export { SGD, type SGDSettings } from './optimizers/sgd'
export {
  GroupedOptimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type ParameterGroupOptions,
} from './optimizers/grouped-optimizer'
export type { LearningRateOwner, Optimizer } from './optimizers/optimizer'
export type { GroupState, OptimizerState } from './optimizers/optimizer-state'
export type { ParametersOf } from './optimizers/parameters'
export type { ArraySlot, CommonSettings, GraphStep, OptimizerRule } from './optimizers/rule'
export { type ValueAndGradients, valueAndGradients } from './gradients'
export { type ClippedGradients, clipGradientNorm, gradientNorm } from './clip-gradients'

// Schedules
export {
  type CosineAnnealingLROptions,
  type CosineAnnealingWarmRestartsOptions,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  type OneCycleLROptions,
  oneCycleLR,
} from './schedules/cosine'
export {
  type PlateauSchedule,
  type PlateauState,
  type ReduceLROnPlateauOptions,
  reduceLROnPlateau,
} from './schedules/plateau'
export type { Schedule, ScheduleOptions } from './schedules/schedule'
export {
  type ExponentialLROptions,
  exponentialLR,
  type LinearLROptions,
  linearLR,
  type MultiStepLROptions,
  multiStepLR,
  type PolynomialLROptions,
  polynomialLR,
  type StepLROptions,
  stepLR,
} from './schedules/step'

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
  Part,
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
