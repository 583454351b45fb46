// The operations
export {
  canFuse,
  type FusedLSTMOptions,
  type FusedLSTMOutputs,
  fusedFinalHidden,
  fusedLSTM,
  type LSTMWeightTensors,
} from './op/lstm-op'
export { fusedLinear } from './op/linear-op'

// What computes it
export { configureKernels, type KernelOptions, type KernelReport, kernelReport } from './configure'
export type { KernelPath } from './engine'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { KernelMemoryError, KernelOptionError, KernelShapeError, KernelStateError } from './errors'
