import { linearParameters } from '../layers/linear'
import type { ParameterSizes } from '../parameter-sizes'
import { type RecurrentShape, recurrentParameters } from '../recurrent/parameters'
import type { NetKind } from './net-kind'

/** What the shapes of a network's parameters follow from. */
export interface NetShape extends RecurrentShape {
  numClasses: number
}

/** The parameters of a network, in PyTorch's order: those of the recurrent layer, those of the linear layer under `fc_1.`. */
export function netParameters({ owner, layer, cell }: NetKind, { numClasses, ...shape }: NetShape): ParameterSizes {
  const { hiddenSize } = shape
  const inFeatures = hiddenSize * (shape.bidirectional ? 2 : 1)
  const { weight, bias } = linearParameters({ inFeatures, outFeatures: numClasses })
  const options = numClasses > hiddenSize ? { numClasses, hiddenSize } : { hiddenSize, numClasses }
  return {
    ...Object.fromEntries(
      Object.entries(recurrentParameters(owner, cell, shape)).map(([name, size]) => [`${layer}.${name}`, size]),
    ),
    'fc_1.weight': { shape: weight.shape, options },
    'fc_1.bias': { shape: bias.shape, options: { numClasses } },
  }
}
