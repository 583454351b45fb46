import { describe, expect, it } from 'vitest'
import { encodeOnnxLSTMNet } from '../src/children/onnx-model'
import { flopsOf, REFERENCE_NETWORK } from '../src/workload'

describe('the work of a step', () => {
  it('is 3.52 MFLOP a sample in training, a third of it forward', () => {
    expect(flopsOf({ kind: 'train', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(3.52, 2)
    expect(flopsOf({ kind: 'predict', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(1.32, 2)
  })
})

describe('the ONNX model', () => {
  it('has an LSTM with the weights’ shapes and the operators that follow it', () => {
    const text = new TextDecoder('latin1').decode(encodeOnnxLSTMNet(REFERENCE_NETWORK))
    for (const name of ['LSTM', 'hidden_size', 'Squeeze', 'Gemm', 'transB', 'logits']) expect(text).toContain(name)
    expect(text.length).toBeGreaterThan(4 * (256 * 92 + 512 + 640))
  })
})
