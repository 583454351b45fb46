// tf.layers through the kernels
export { type Acceleration, accelerate, accelerateModel, type LayersNamespace } from './accelerate'
export type { LayerReport } from './report'

// What computes
export {
  configureKernels,
  KernelOptionError,
  type KernelOptions,
  type KernelReport,
  kernelReport,
  type RuntimeName,
} from '@rowwise/rnn-kernels'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { TfjsLayersError } from './errors'
