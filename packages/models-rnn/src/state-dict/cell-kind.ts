/** Gates of the other cells that PyTorch names as it names an LSTM's. */
const OTHER_CELLS = new Map([
  [3, ['three gates', 'a GRU']],
  [1, ['one gate', 'a plain RNN']],
])

/**
 * What cell a matrix of hidden weights is of when it is no LSTM's: PyTorch names the parameters of its recurrent layers alike,
 * and they differ by the rows for each hidden unit.
 *
 * @param shape of `weight_hh`, `[gates · H, H]`
 */
export function otherCell([rows, hiddenSize]: readonly number[]): { gates: string; cell: string } | undefined {
  const [gates, cell] = OTHER_CELLS.get(rows / hiddenSize) ?? []
  return gates === undefined ? undefined : { gates, cell }
}

/** What to say of hidden weights that an LSTM was to have and that are another cell's. */
export function describeCell(name: string, shape: readonly number[], expected: readonly number[]): string {
  const isHidden = /(^|\.)weight_hh_l\d+(_reverse)?$/.test(name) && expected[0] === 4 * expected[1]
  const other = isHidden && shape.length === 2 ? otherCell(shape) : undefined
  return other === undefined ? '' : ` (${other.gates} for each of ${shape[1]} units: ${other.cell}, not an LSTM)`
}
