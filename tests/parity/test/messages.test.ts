import { Linear, LSTM, LSTMNet } from '@rowwise/models-rnn'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'

describe('messages of the package as it is published, in which the bundler renamed classes', () => {
  it('name LSTMNet, LSTM and Linear as users know them', () => {
    expect(() => new LSTMNet({ hiddenSize: 0 })).toThrow(/^LSTMNet: hiddenSize/)
    expect(() => new LSTMNet().loadStateDict({})).toThrow(/does not fit LSTMNet: missing/)
    expect(() => new LSTM({ inputSize: 1, hiddenSize: 0 })).toThrow(/^LSTM: hiddenSize/)
    expect(() => new Linear({ inFeatures: 1, outFeatures: 0 })).toThrow(/^Linear: outFeatures/)
  })

  it('name a subclass by its own name', () => {
    class RowReader extends LSTMNet {}
    expect(() => new RowReader().loadStateDict({})).toThrow(/does not fit RowReader: missing/)
  })
})
