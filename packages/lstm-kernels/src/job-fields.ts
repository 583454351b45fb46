// The job that the kernels read from memory: one 32-bit word per field, addresses in bytes. Shared by the TypeScript that
// writes it and the AssemblyScript that reads it, so it holds nothing but constants.

/** Samples N. */
export const BATCH = 0
/** Time steps T. */
export const TIME = 1
/** Features per step, I. */
export const INPUT = 2
/** Hidden units, H. */
export const HIDDEN = 3
/** 1 to read the sequence from its end. */
export const REVERSE = 4
/** 1 to keep what the backward pass needs. */
export const SAVE = 5
/** Inputs, [N, T, I]. */
export const X = 6
/** Rows [x_t | h_{t-1}], by block [T + 1, rows, K] when saving, else [2, rows, K]; K = ceil4(I) + ceil8(H). */
export const Z = 7
/** What the backward pass needs, of eight hidden units at a time: by block [panels, T, rows, KEPT bytes] when saving. */
export const GATES = 8
/** Cell states, [N, ceil8(H)]: the initial ones when saving, else those of the present step. */
export const CELLS = 9
/** Packed weights of the forward pass, [panels, K, 32]. */
export const WEIGHTS = 10
/** Packed sum of both biases, [panels, 32]. */
export const BIAS = 11
/** Packed recurrent weights of the backward pass, [ceil(H/32), 4·ceil8(H), 32]. */
export const WEIGHTS_HH_T = 12
/** Packed input weights of the backward pass, [ceil(I/32), 4·ceil8(H), 32]; 0 when not wanted. */
export const WEIGHTS_IH_T = 13
/** Hidden states of all steps, [N, T, H]; 0 when not wanted. */
export const OUTPUT = 14
/** Final hidden state, [N, H]. */
export const H_FINAL = 15
/** Final cell state, [N, H]. */
export const C_FINAL = 16
/** Initial hidden state, [N, H]; 0 for zeros. */
export const H_INITIAL = 17
/** Initial cell state, [N, H]; 0 for zeros. */
export const C_INITIAL = 18
/** Gradient by the output, [N, T, H]; 0 when there is none. */
export const D_OUTPUT = 19
/** Gradient by the final hidden state, [N, H]; 0 when there is none. */
export const D_H_FINAL = 20
/** Gradient by the final cell state, [N, H]; 0 when there is none. */
export const D_C_FINAL = 21
/** Gradient by the cell state, carried from step to step, [N, ceil8(H)]. */
export const D_CELLS = 22
/** Partial weight gradients, one region per slice of the batch: [panels, K + 2, 32], the row after K by the bias. */
export const D_WEIGHTS = 23
/** Bytes from one slice's partial gradients to the next. */
export const D_WEIGHTS_STRIDE = 24
/** Slices of the batch. */
export const SLICES = 25
/** Gradient by the initial hidden state, [N, H]; 0 when not wanted. */
export const D_H_INITIAL = 26
/** Gradient by the initial cell state, [N, H]; 0 when not wanted. */
export const D_C_INITIAL = 27
/** Gradient by the inputs, [N, T, I]; 0 when not wanted. */
export const D_X = 28
/** Weights as PyTorch lays them out, [4H, I] and [4H, H]; gradients go there too. */
export const RAW_WEIGHT_IH = 29
export const RAW_WEIGHT_HH = 30
/** Biases, [4H]; 0 without. */
export const RAW_BIAS_IH = 31
export const RAW_BIAS_HH = 32

/** Gradients by the gates of the last steps, one region per slice of the batch: [SUMMED_ROWS, 4·ceil8(H) + padding]. */
export const D_GATES = 33

/** Words in a job. */
export const JOB_WORDS = 40

/**
 * Bytes that a row keeps of eight hidden units at a step: activations of the gates i, f, g and o, tanh of the cell state, the
 * cell state. Three cache lines, and all rows of a step lie together: a batch that fits into no cache is read in order.
 */
export const KEPT = 192
/** Where tanh of the cell state and the cell state begin in it. */
export const TANH_AT = 128
export const CELL_AT = 160
/** Rows that go through all time steps together, so that what they share stays in the first-level cache; whole tiles of six. */
export const ROW_BLOCK = 66
/** Rows, of two steps or more, that a weight gradient is summed over before it goes back to memory. */
export const SUMMED_ROWS = 2 * ROW_BLOCK
/** Floats that a row of gates' gradients is longer than its content, so that rows do not fall into the same cache sets. */
export const GATE_PITCH_PADDING = 16
