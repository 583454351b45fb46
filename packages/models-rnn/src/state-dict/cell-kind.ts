import { GATES } from '@rowwise/rnn-kernels'

/** Layers of `torch.nn`, by the gates of their cells. */
const MODULES = new Map([
  [GATES.lstm, ['four gates', 'an LSTM']],
  [GATES.gru, ['three gates', 'a GRU']],
  [GATES.rnn_tanh, ['one gate', 'a plain RNN']],
])

/**
 * What layer a matrix of hidden weights is of: PyTorch names the parameters of its recurrent layers alike, and they differ by the rows
 * for each hidden unit.
 *
 * @param shape of `weight_hh`, `[gates · H, H]`
 */
export function cellOf([rows, hiddenSize]: readonly number[]): { gates: string; cell: string } | undefined {
  const [gates, cell] = MODULES.get(rows / hiddenSize) ?? []
  return gates === undefined ? undefined : { gates, cell }
}

/** What to say of hidden weights that are another cell's than the model's. */
export function describeCell(name: string, shape: readonly number[], expected: readonly number[]): string {
  if (!/(^|\.)weight_hh_l\d+(_reverse)?$/.test(name) || shape.length !== 2) return ''
  const [found, wanted] = [cellOf(shape), cellOf(expected)]
  if (found === undefined || wanted === undefined || found.cell === wanted.cell) return ''
  return ` (${found.gates} for each of ${shape[1]} units: ${found.cell}, not ${wanted.cell})`
}
