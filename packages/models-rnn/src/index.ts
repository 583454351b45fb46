// Models and layers

// Errors
export { isRowwiseError } from '@rowwise/errors'
// What computes LSTMs: the fused kernels' path and threads
export {
  configureKernels,
  type KernelOptions,
  type KernelPath,
  type KernelReport,
  kernelReport,
} from '@rowwise/lstm-kernels'
export { ModuleOptionError, SafetensorsError, ShapeError, StateDictError } from './errors'
export { Linear, type LinearOptions } from './linear'
export { describeLSTM } from './lstm/describe-lstm'
// The LSTM as a function
export { type LSTMLayerOptions, type LSTMLayerOutputs, type LSTMLayerWeights, lstm } from './lstm/lstm'
export { LSTM, type LSTMOptions, type LSTMOutputs, type LSTMState } from './lstm/lstm-module'
export { LSTMNet, type LSTMNetConfig, type LSTMNetOptions } from './lstm-net'

// What models are made of
export { type ArrayWithShape, type LoadStateDictOptions, Module, type NamedParameters, type StateDict } from './module'
// Weights in files
export { decodeSafetensors, type SafetensorsFile } from './safetensors/decode'
export type { Safetensor, SafetensorsDtype } from './safetensors/dtypes'
export { encodeSafetensors } from './safetensors/encode'
