// The operations
export { canFuse, recurrent } from './op/recurrent'
export { type KerasWeightTensors, kerasRecurrent } from './op/keras'
export { fromKerasLayout, type KerasWeights, toKerasLayout } from './op/keras-layout'
export { canFuseLinear, fusedLinear } from './op/linear'
export { type SoftmaxRows, softmaxGradient, softmaxRows } from './op/softmax'
export type {
  InitialTensors,
  LookupInputs,
  RecurrentOptions,
  RecurrentOutputs,
  RecurrentWeightTensors,
} from './op/types'
export { type LinearPass, linearPass, type RecurrentPass, recurrentPass } from './op/vjp'

// Cells
export { type Cell, GATES, type GateActivation, hasCellState } from './cell'

// Optimizers
export { adamCoefficients, adamSlots } from './optimize/adam'
export type {
  AdamCoefficients,
  AdamSlot,
  LinearGradients,
  RecurrentGradients,
  RecurrentWeights,
  State,
  Upstream,
  WantedGradients,
} from './runtime'

// What computes it
export { configureKernels, type KernelOptions, type KernelReport, kernelReport } from './configure'
export { measurePeak } from './peak'
export type { RuntimeName } from './runtime'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export {
  KernelLengthsError,
  KernelMemoryError,
  KernelOptionError,
  KernelShapeError,
  KernelStateError,
} from './errors'
