import type { Layer } from '../layer'
import { Linear } from '../layers/linear'
import { FinalHidden, LastStep } from '../layers/steps'
import { GRU } from '../recurrent/gru'
import { LSTM } from '../recurrent/lstm'
import { RNN } from '../recurrent/rnn'
import { Sequential } from '../sequential'
import { GRUNet } from './gru-net'
import { LSTMNet } from './lstm-net'
import type { RecurrentNet } from './recurrent-net'
import { RNNNet } from './rnn-net'

/**
 * The network of {@link LSTMNet}'s kind that a model is, whatever its layers are called: a recurrent layer, its last
 * step, a linear layer with a bias. It takes the weights over; the model is disposed. Undefined where it is another
 * one, which stays as it is.
 *
 * @param dropout what the network's config says, which no layer may show
 * @example
 * ```ts
 * const gru = new GRU({ inputSize: 3, hiddenSize: 8 })
 * const net = asNet(new Sequential(gru, lastStep(), new Linear({ inFeatures: 8, outFeatures: 2 })))
 * console.log(net instanceof GRUNet) // true
 * ```
 */
export function asNet(model: Layer, { dropout = 0 }: { dropout?: number } = {}): RecurrentNet | undefined {
  if (!(model instanceof Sequential)) return undefined
  const children = model.namedChildren()
  const [recurrent, picked, linear] = children.map(([, child]) => child)
  const isKnown = recurrent instanceof LSTM || recurrent instanceof GRU || recurrent instanceof RNN
  if (children.length !== 3 || !isKnown || !(linear instanceof Linear) || linear.stateDict().bias === undefined)
    return undefined
  const isLast = picked instanceof LastStep || (picked instanceof FinalHidden && !recurrent.bidirectional)
  const { cell, gateActivation, projSize, inputSize, hiddenSize, numLayers, bias, bidirectional } = recurrent
  if (!isLast || projSize > 0 || gateActivation !== 'sigmoid' || cell === 'gru_reset_before') return undefined
  const options = {
    ...{ inputSize, hiddenSize, numLayers, bias, bidirectional },
    ...{ numClasses: linear.outFeatures, dropout: dropout || recurrent.dropout },
  }
  const net =
    recurrent instanceof LSTM
      ? new LSTMNet(options)
      : recurrent instanceof GRU
        ? new GRUNet(options)
        : new RNNNet({ ...options, nonlinearity: recurrent.nonlinearity })
  const [[layer]] = net.namedChildren()
  const prefixed = (name: string, part: Layer) =>
    Object.entries(part.stateDict()).map(([parameter, value]) => [`${name}.${parameter}`, value])
  net.loadStateDict(Object.fromEntries([...prefixed(layer, recurrent), ...prefixed('fc_1', linear)]))
  for (const [name, child] of net.namedChildren()) {
    const from = name === 'fc_1' ? linear : name === layer ? recurrent : undefined
    if (from?.isFrozen) child.requiresGrad(false)
  }
  model.dispose()
  return net
}
