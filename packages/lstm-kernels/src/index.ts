// The operation
export { canFuse, type FusedLSTMOptions, type FusedLSTMOutputs, fusedLSTM, type LSTMWeightTensors } from './op/lstm-op'

// What computes it
export { configureKernels, type KernelOptions, type KernelReport, kernelReport } from './configure'
export type { KernelPath } from './engine'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { KernelMemoryError, KernelOptionError, KernelShapeError, KernelStateError } from './errors'
