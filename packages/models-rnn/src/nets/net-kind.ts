import type { Cell } from '@rowwise/rnn-kernels'

/** What sets a network of one recurrent layer apart from the others. */
export interface NetKind {
  /** The network's class. */
  readonly owner: string
  /** The name of its recurrent layer. */
  readonly layer: string
  /** The class of that layer, as in `torch.nn`. */
  readonly module: 'LSTM' | 'GRU' | 'RNN'
  /** A cell with that many gates. */
  readonly cell: Cell
}
