import { linearParameters } from './linear'
import { type LSTMShape, lstmParameters } from './lstm/lstm-parameters'
import type { ParameterSizes } from './parameter-sizes'

/** What the shapes of an LSTMNet's parameters follow from. */
export interface LSTMNetShape extends LSTMShape {
  numClasses: number
}

/** The parameters of an LSTMNet, in PyTorch's order: those of the LSTM under `lstm_1.`, those of the linear layer under `fc_1.`. */
export function lstmNetParameters(owner: string, { numClasses, ...shape }: LSTMNetShape): ParameterSizes {
  const { hiddenSize } = shape
  const { weight, bias } = linearParameters({
    inFeatures: hiddenSize * (shape.bidirectional ? 2 : 1),
    outFeatures: numClasses,
  })
  const options = numClasses > hiddenSize ? { numClasses, hiddenSize } : { hiddenSize, numClasses }
  return {
    ...Object.fromEntries(Object.entries(lstmParameters(owner, shape)).map(([name, size]) => [`lstm_1.${name}`, size])),
    'fc_1.weight': { shape: weight.shape, options },
    'fc_1.bias': { shape: bias.shape, options: { numClasses } },
  }
}
