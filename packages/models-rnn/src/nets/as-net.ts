import type { Layer } from '../layer'
import { Linear } from '../layers/linear'
import { FinalHidden, LastStep } from '../layers/steps'
import { GRU } from '../recurrent/gru'
import { LSTM } from '../recurrent/lstm'
import { RNN } from '../recurrent/rnn'
import { Sequential } from '../sequential'
import { isStandard } from '../standard'
import { GRUNet } from './gru-net'
import { LSTMNet } from './lstm-net'
import type { RecurrentNet } from './recurrent-net'
import { RNNNet } from './rnn-net'

/**
 * The network of {@link LSTMNet}'s kind that a model is, whatever its layers are called: a recurrent layer, its last
 * step, a linear layer with a bias. It takes over the weights, what is frozen, and the mode; the model is disposed. Undefined where it is
 * another one, computes something else in its forward, or shares weights; it stays as it is then.
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
  if (!(model instanceof Sequential) || !isStandard(model)) return undefined
  const children = model.namedChildren()
  const [recurrent, picked, linear] = children.map(([, child]) => child)
  const isKnown = recurrent instanceof LSTM || recurrent instanceof GRU || recurrent instanceof RNN
  if (children.length !== 3 || !isKnown || !(linear instanceof Linear) || linear.stateDict().bias === undefined)
    return undefined
  if (!children.every(([, child]) => isStandard(child as Layer))) return undefined
  if (Object.keys(model.parameters()).length < Object.keys(model.stateDict()).length) return undefined // shared weights
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
  net.training = model.training
  net.namedChildren().forEach(([, child], at) => {
    const from = children[at][1]
    child.training = from.training
    const before = from.parameters()
    for (const [name, parameter] of Object.entries(child.parameters())) parameter.trainable = before[name].trainable
  })
  model.dispose()
  return net
}
