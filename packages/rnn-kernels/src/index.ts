// The operations
export { canFuse, recurrent } from './op/recurrent'
export { fusedLinear } from './op/linear'
export type { InitialTensors, RecurrentOptions, RecurrentOutputs, RecurrentWeightTensors } from './op/types'
export { finalHiddenVJP, type KernelVJP, type LinearVJPGradients, linearVJP } from './op/vjp'

// Cells
export { type Cell, GATES, type GateActivation, hasCellState } from './cell'

// Optimizers
export { type AdamCoefficients, adamCoefficients, adamSlots } from './optimize/adam'
export type { AdamSlot } from './runtime'

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
