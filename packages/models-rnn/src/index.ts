// Models and layers
export { Linear, type LinearOptions } from './linear'
export { LSTMNet, type LSTMNetConfig, type LSTMNetOptions } from './lstm-net'
export { LSTM, type LSTMOptions, type LSTMOutputs, type LSTMState } from './lstm/lstm-module'

// The LSTM as a function
export { lstm, type LSTMLayerOptions, type LSTMLayerOutputs, type LSTMLayerWeights } from './lstm/lstm'

// What models are made of
export { type ArrayWithShape, type LoadStateDictOptions, Module, type NamedParameters, type StateDict } from './module'

// Weights in files
export { decodeSafetensors, type SafetensorsFile } from './safetensors/decode'
export type { Safetensor, SafetensorsDtype } from './safetensors/dtypes'
export { encodeSafetensors } from './safetensors/encode'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { ModuleOptionError, SafetensorsError, ShapeError, StateDictError } from './errors'
