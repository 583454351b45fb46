import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  GRUNet,
  LayerNorm,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  meanOverTime,
  RNN,
  RNNNet,
  Sequential,
} from '@rowwise/models-rnn'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'

describe('messages of the package as it is published, in which the bundler renamed classes', () => {
  it('name LSTMNet, LSTM and Linear as users know them', () => {
    expect(() => new LSTMNet({ hiddenSize: 0 })).toThrow(/^LSTMNet: hiddenSize/)
    expect(() => new LSTMNet().loadStateDict({})).toThrow(/does not fit LSTMNet: missing/)
    expect(() => new LSTM({ inputSize: 1, hiddenSize: 0 })).toThrow(/^LSTM: hiddenSize/)
    expect(() => new Linear({ inFeatures: 1, outFeatures: 0 })).toThrow(/^Linear: outFeatures/)
  })

  it('and so every other class', () => {
    const sizes = { inputSize: 1, hiddenSize: 0 }
    expect(() => new GRU(sizes)).toThrow(/^GRU: hiddenSize/)
    expect(() => new RNN(sizes)).toThrow(/^RNN: hiddenSize/)
    expect(() => new GRUNet(sizes)).toThrow(/^GRUNet: hiddenSize/)
    expect(() => new RNNNet(sizes)).toThrow(/^RNNNet: hiddenSize/)
    expect(() => new Dropout({ p: 2 })).toThrow(/^Dropout: p/)
    expect(() => new Embedding({ numEmbeddings: 0, embeddingDim: 1 })).toThrow(/^Embedding: numEmbeddings/)
    expect(() => new LayerNorm({ normalizedShape: 0 })).toThrow(/^LayerNorm: normalizedShape/)
    expect(() => new Sequential()).toThrow(/^new Sequential\(\) got no layer/)
    const pickers = [lastStep(), finalHidden(), meanOverTime()]
    expect(pickers.map((layer) => layer.summary().split('\n')[1].trim().split(' ')[0])).toEqual([
      ...['LastStep', 'FinalHidden', 'MeanOverTime'],
    ])
  })

  it('name a subclass by its own name', () => {
    class RowReader extends LSTMNet {}
    expect(() => new RowReader().loadStateDict({})).toThrow(/does not fit RowReader: missing/)
  })
})
