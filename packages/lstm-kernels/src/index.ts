// The operation

// Errors
export { isRowwiseError } from '@rowwise/errors'

// What computes it
export { configureKernels, type KernelOptions, type KernelReport, kernelReport } from './configure'
export type { KernelPath } from './engine'
export { KernelMemoryError, KernelOptionError, KernelShapeError, KernelStateError } from './errors'
export { canFuse, type FusedLSTMOptions, type FusedLSTMOutputs, fusedLSTM, type LSTMWeightTensors } from './op/lstm-op'
