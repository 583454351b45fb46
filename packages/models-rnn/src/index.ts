// Models and layers
export { LSTMNet, type LSTMNetConfig, type LSTMNetOptions } from './lstm-net'
export { LSTM, type LSTMOptions, type LSTMOutputs, type LSTMState } from './lstm/lstm-module'
export { Linear, type LinearOptions } from './linear'

// The LSTM as a function
export { type LSTMLayerOptions, type LSTMLayerOutputs, type LSTMLayerWeights, lstm } from './lstm/lstm'

// What computes LSTMs: the fused kernels' path and threads
export {
  configureKernels,
  type KernelOptions,
  type KernelPath,
  type KernelReport,
  kernelReport,
} from '@rowwise/lstm-kernels'
export { describeLSTM } from './lstm/describe-lstm'

// What models are made of
export { type ArrayWithShape, type LoadStateDictOptions, Module, type NamedParameters, type StateDict } from './module'

// Weights in files
export { decodeSafetensors, type SafetensorsFile } from './safetensors/decode'
export { encodeSafetensors } from './safetensors/encode'
export type { Safetensor, SafetensorsDtype } from './safetensors/dtypes'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { ModuleOptionError, SafetensorsError, ShapeError, StateDictError } from './errors'
