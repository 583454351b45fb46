import { describeLSTM } from './lstm/describe-lstm'
import type { LSTMNetConfig } from './lstm-net'
import type { NamedParameters } from './module'

/** The table behind `LSTMNet.summary()`. */
export function summarize(config: Required<LSTMNetConfig>, parameters: NamedParameters): string {
  const { inputSize, hiddenSize, numLayers, numClasses, bidirectional } = config
  const width = hiddenSize * (bidirectional ? 2 : 1)
  const count = (prefix: string): number =>
    Object.entries(parameters).reduce((sum, [name, { size }]) => sum + (name.startsWith(prefix) ? size : 0), 0)
  const layers = Array.from({ length: numLayers }, (_, layer) => [
    `lstm_1 layer ${layer}`,
    `[N, T, ${layer === 0 ? inputSize : width}] -> [N, T, ${width}]`,
    String(countLayer(parameters, layer)),
  ])
  const rows = [
    ['layer', 'shape', 'parameters'],
    ...layers,
    ['fc_1', `[N, ${width}] -> [N, ${numClasses}]`, String(count('fc_1.'))],
    ['total', '', String(count(''))],
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)))
  const table = rows
    .map(
      ([layer, shape, size]) => `${layer.padEnd(widths[0])}  ${shape.padEnd(widths[1])}  ${size.padStart(widths[2])}`,
    )
    .join('\n')
  return `${table}\ncomputed by: ${describeLSTM()}`
}

function countLayer(parameters: NamedParameters, layer: number): number {
  const suffix = new RegExp(`^lstm_1\\..*_l${layer}(_reverse)?$`)
  return Object.entries(parameters).reduce((sum, [name, { size }]) => sum + (suffix.test(name) ? size : 0), 0)
}
