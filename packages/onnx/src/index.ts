// ONNX in
export { type FromOnnxOptions, fromOnnx, onnxMetadata } from './read/from-onnx'

// ONNX out
export { type ToOnnxOptions, toOnnx } from './write/to-onnx'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { OnnxError, OnnxUnsupportedError } from './errors'
