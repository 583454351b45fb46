// Networks
export { LSTMNet } from './nets/lstm-net'
export { GRUNet } from './nets/gru-net'
export { RNNNet, type RNNNetConfig, type RNNNetOptions } from './nets/rnn-net'
export { asNet } from './nets/as-net'
export { loadNet } from './nets/load-net'
export {
  type FromStateDictOptions,
  type NetClass,
  RecurrentNet,
  type RecurrentNetConfig,
  type RecurrentNetOptions,
} from './nets/recurrent-net'
export type { NetKind } from './nets/net-kind'

// Recurrent layers
export { LSTM, type LSTMOptions, type LSTMOutputs, type LSTMState } from './recurrent/lstm'
export { GRU, type GRUOptions } from './recurrent/gru'
export { type Nonlinearity, RNN, type RNNOptions } from './recurrent/rnn'
export type { Picked } from './recurrent/compose'
export {
  type HiddenState,
  type RecurrentContext,
  RecurrentLayer,
  type RecurrentLayerOptions,
  type RecurrentLayerOutputs,
} from './recurrent/recurrent-layer'

// Other layers
export { Activation, ReLU, Sigmoid, Softmax, Tanh } from './layers/activations'
export { Dropout, type DropoutOptions } from './layers/dropout'
export { Embedding, type EmbeddingOptions } from './layers/embedding'
export { LayerNorm, type LayerNormOptions } from './layers/layer-norm'
export { Linear, type LinearOptions } from './layers/linear'
export { FinalHidden, finalHidden, LastStep, lastStep, MeanOverTime, meanOverTime } from './layers/steps'

// What models are made of
export { Module, type NamedParameters } from './module'
export {
  Layer,
  type LayerContext,
  type LayerGradients,
  type LayerOutput,
  type LayerOutputs,
  type LayerVJP,
  type VJPOptions,
} from './layer'
export { Graph, type GraphNode, type GraphOptions, type NamedGraphNode } from './graph'
export { recompute } from './recompute'
export { isStandard } from './standard'
export { Sequential, type SequentialLayers, type SequenceInputs } from './sequential'
export type { LayerSummary } from './summary'

export type { Cell, GateActivation } from '@rowwise/rnn-kernels'

// What computes them: the fused kernels' path and threads
export {
  configureKernels,
  KernelOptionError,
  type KernelOptions,
  type RuntimeName,
  type KernelReport,
  kernelReport,
} from '@rowwise/rnn-kernels'
export { describeRecurrent } from './recurrent/describe'

// Weights
export { load, save, type SaveOptions } from './state-dict/file'
export type { LoadStateDictOptions } from './state-dict/load-options'
export type { ArrayWithShape, StateDict } from '@rowwise/safetensors'
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
export {
  LengthsError,
  ModuleDisposedError,
  ModuleOptionError,
  ModuleStructureError,
  PullbackError,
  ShapeError,
  StateDictError,
  TensorError,
} from './errors'
