// Models and layers
export { type FromStateDictOptions, LSTMNet, type LSTMNetConfig, type LSTMNetOptions } from './lstm-net'
export type { LSTMNetVJP } from './lstm-net-vjp'
export { LSTM, type LSTMOptions, type LSTMOutputs, type LSTMState } from './lstm/lstm-module'
export { Linear, type LinearOptions } from './linear'

// The LSTM as a function
export { type LSTMLayerOptions, type LSTMLayerOutputs, type LSTMLayerWeights, lstm } from './lstm/lstm'

// What computes LSTMs: the fused kernels' path and threads
export {
  configureKernels,
  KernelOptionError,
  type KernelOptions,
  type RuntimeName,
  type KernelReport,
  kernelReport,
} from '@rowwise/rnn-kernels'
export { describeLSTM } from './lstm/describe-lstm'

// What models are made of
export { Module, type NamedParameters } from './module'
export type { LoadStateDictOptions } from './state-dict/load-options'
export type { ArrayWithShape, StateDict } from '@rowwise/safetensors'

// Weights in files
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensor,
  type SafetensorsDtype,
  type SafetensorsFile,
} from '@rowwise/safetensors'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { SafetensorsError } from '@rowwise/safetensors'
export { ModuleDisposedError, ModuleOptionError, ShapeError, StateDictError, TensorError } from './errors'
