// What a cell is: which gates it has, which sums its gates begin with, what it keeps, and its equations forward and backward.
#pragma once
#include "activations.h"

/** What a sum reads: the input x_t, the hidden state h_{t-1}, or r·h of a reset-before GRU. */
enum { INPUT = 1, HIDDEN = 2, RESET = 4 };
/** Which biases a sum begins with. */
enum { NO_BIAS = 0, BIAS_IH = 1, BIAS_HH = 2, BOTH_BIASES = 3 };
/** Which part of a row of gate gradients belongs to a sum. */
enum { INPUT_PART, HIDDEN_PART, RESET_PART };

/** One of the sums that a cell's gates begin with, for WIDTH units: a column of the map from PyTorch's parameters to sums. */
typedef struct {
  /** The gate in PyTorch's parameters. */
  int gate;
  int reads;
  int bias;
  /** Where its gradient is: a part of the row, and the gate's place in it. */
  int part;
  int place;
} Slot;

/** A step of WIDTH units for some rows. A sum of slot s starts s·WIDTH floats into its row, and the activations replace the sums. */
typedef struct {
  int rows;
  float *sums;
  ptrdiff_t sumsRow;
  const float *hBefore;
  float *hNext;
  int hRow;
  const float *cBefore;
  ptrdiff_t cBeforeRow;
  float *cNext;
  ptrdiff_t cNextRow;
  /** r·h, of a reset-before GRU. */
  float *reset;
  int resetRow;
} Step;

/** Its pullback: from the gradient with respect to h_t to those with respect to the sums. */
typedef struct {
  int rows;
  const float *dHidden;
  int dHiddenRow;
  const float *kept;
  ptrdiff_t keptRow;
  const float *hBefore;
  /** h_t of an LSTM, in rows as far apart as those of h_{t-1}. */
  const float *h;
  int hRow;
  const float *cBefore;
  ptrdiff_t cBeforeRow;
  /** What passes on to the step before without a product: c̄ of an LSTM, h̄·z of a GRU. */
  float *carry;
  int carryRow;
  /** The parts of a row of gate gradients, and from a gate to the next. */
  float *dInput;
  float *dHiddenGates;
  float *dReset;
  int gate;
  int dGatesRow;
} Pullback;

typedef struct {
  /** Row blocks of H in PyTorch's parameters. */
  int gates;
  /** Sums, and how many of them begin with a bias and no other sum: those of the first stage. */
  int slots;
  int firstSlots;
  /** Times WIDTH floats that are kept of a step. */
  int kept;
  int hasCellState;
  /** Where a cell state is in what is kept. */
  int cellAt;
  /** Gates in the hidden part of a row of gate gradients; 0 when it is the input part. */
  int hiddenGates;
  /** Gates in the reset part. */
  int resetGates;
  Slot slot[4];
  void (*forward)(const Step *);
  void (*backward)(const Pullback *);
  /** The second stage of a cell whose sums need gates: null elsewhere. */
  void (*forwardReset)(const Step *);
  void (*backwardReset)(const Pullback *);
} Cell;

/** One function at a time over all rows: short loops keep everything in registers, and several turns overlap. */
#define EACH_ROW(count) for (int row = 0; row < (count); row++)
/** The vectors of a group: `n` counts them, `v` is where each begins. */
#define EACH_VECTOR UNROLL for (int n = 0, v = 0; n < TILE_VECTORS; n++, v += LANES)

SHARED void gateOfRows(int hard, int rows, float *at, int pitch) {
  const Constants *k = constantsInMemory();
  EACH_ROW(rows) {
    storeGroup(at, gateOf(hard, loadGroup(at), k));
    at += pitch;
  }
}

SHARED void tanhOfRows(int rows, float *at, int pitch) {
  const Constants *k = constantsInMemory();
  EACH_ROW(rows) {
    storeGroup(at, hyperbolicTangent(loadGroup(at), k));
    at += pitch;
  }
}
