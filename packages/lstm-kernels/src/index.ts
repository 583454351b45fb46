// The operations
export {
  canFuse,
  type FusedLSTMOptions,
  type FusedLSTMOutputs,
  fusedFinalHidden,
  fusedLSTM,
} from './op/lstm-op'
export { fusedLinear } from './op/linear-op'
export type { InitialTensors, LSTMWeightTensors } from './op/lstm-pass'
export { finalHiddenVJP, type KernelVJP, type LinearVJPGradients, linearVJP } from './op/vjp'

// What computes it
export { configureKernels, type KernelOptions, type KernelReport, kernelReport } from './configure'
export type { KernelPath } from './engine'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { KernelMemoryError, KernelOptionError, KernelShapeError, KernelStateError } from './errors'
