import { Generator } from '@rowwise/torch-random'
import type { NetworkShape } from '../workload'

// The part of Protocol Buffers' wire format that an ONNX model needs: varints and fields of bytes.

/** The network as an ONNX model (opset 14): LSTM, the final hidden state, Gemm. Random weights: it is for timing. */
export function encodeOnnxLSTMNet({ inputSize, hiddenSize, numLayers, numClasses }: NetworkShape): Uint8Array {
  if (numLayers !== 1) throw new Error('the ONNX model has one layer')
  const generator = new Generator(0)
  const bound = 1 / Math.sqrt(hiddenSize)
  const weights = (name: string, shape: number[]): Uint8Array => {
    const values = generator.uniform(new Float32Array(shape.reduce((a, b) => a * b, 1)), -bound, bound)
    const dims = shape.map((size) => varintField(1, size))
    return message(...dims, varintField(2, 1), text(8, name), bytes(9, new Uint8Array(values.buffer)))
  }
  const graph = message(
    bytes(1, node('LSTM', ['x', 'W', 'R', 'B'], ['', 'h'], integer('hidden_size', hiddenSize))),
    bytes(1, node('Squeeze', ['h', 'axes'], ['last'])),
    bytes(1, node('Gemm', ['last', 'fc', 'bias'], ['logits'], integer('transB', 1))),
    text(2, 'lstmnet'),
    bytes(5, weights('W', [1, 4 * hiddenSize, inputSize])),
    bytes(5, weights('R', [1, 4 * hiddenSize, hiddenSize])),
    bytes(5, weights('B', [1, 8 * hiddenSize])),
    bytes(5, weights('fc', [numClasses, hiddenSize])),
    bytes(5, weights('bias', [numClasses])),
    bytes(5, message(varintField(1, 1), varintField(2, 7), text(8, 'axes'), bytes(9, new Uint8Array(8)))),
    bytes(11, value('x', ['time', 'batch', inputSize])),
    bytes(12, value('logits', ['batch', numClasses])),
  )
  return message(varintField(1, 8), bytes(7, graph), bytes(8, message(text(1, ''), varintField(2, 14))))
}

function node(operator: string, inputs: string[], outputs: string[], attribute?: Uint8Array): Uint8Array {
  const names = [...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name))]
  return message(...names, text(4, operator), ...(attribute ? [bytes(5, attribute)] : []))
}

function integer(name: string, size: number): Uint8Array {
  return message(text(1, name), varintField(3, size), varintField(20, 2))
}

function value(name: string, shape: (string | number)[]): Uint8Array {
  const dimensions = shape.map((size) => bytes(1, typeof size === 'number' ? varintField(1, size) : text(2, size)))
  const tensorType = message(varintField(1, 1), bytes(2, message(...dimensions)))
  return message(text(1, name), bytes(2, bytes(1, tensorType)))
}

function message(...fields: Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((field) => Array.from(field)))
}

function text(field: number, content: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(content))
}

function bytes(field: number, content: Uint8Array): Uint8Array {
  return Uint8Array.from([...varint(8 * field + 2), ...varint(content.length), ...content])
}

function varintField(field: number, content: number): Uint8Array {
  return Uint8Array.from([...varint(8 * field), ...varint(content)])
}

function varint(content: number): number[] {
  const encoded: number[] = []
  let rest = content
  for (; rest > 127; rest = Math.floor(rest / 128)) encoded.push((rest % 128) | 128)
  return [...encoded, rest]
}
