// Weights in the order in which the tiles read them: a sum of a group of hidden units after the other, its terms in a row, WIDTH floats each.
// Units that only fill up a group are zero, and so are their states.
#pragma once
#include "forward.h"
#include "transpose.h"

/** Packs what the forward pass reads: [W_ih | W_hh]ᵀ, and the sums of the biases. */
static void packForward(const Job *j, const Sizes *s) {
  const Cell *cell = s->cell;
  float *to = j->forward, *bias = j->bias;
  int hiddenSize = j->hiddenSize, inputSize = j->inputSize;
  for (int group = 0; group < s->groups; group++)
    for (int k = 0; k < cell->slots; k++) {
      Slot slot = cell->slot[k];
      int terms = termsOf(j, s, slot), units = min(WIDTH, hiddenSize - group * WIDTH);
      ptrdiff_t row = slot.gate * hiddenSize + group * WIDTH; // in PyTorch's parameters
      float *hidden = to + inputTerms(j, slot) * WIDTH;
      if (s->hiddenPadded > hiddenSize) zeroFloats(to, terms * WIDTH);
      if (slot.reads & INPUT) transpose(j->weightIh + row * inputSize, inputSize, units, inputSize, to, WIDTH);
      if (slot.reads != INPUT) transpose(j->weightHh + row * hiddenSize, hiddenSize, units, hiddenSize, hidden, WIDTH);
      for (int u = 0; u < WIDTH; u++) {
        float sum = 0;
        if (u < units && j->hasBias) {
          if (slot.bias & BIAS_IH) sum += j->biasIh[row + u];
          if (slot.bias & BIAS_HH) sum += j->biasHh[row + u];
        }
        bias[u] = sum;
      }
      to += terms * WIDTH;
      bias += WIDTH;
    }
}

/** W [·H, columns] → [columns/WIDTH, terms, WIDTH], for products with the gates `first` … of a row of gate gradients. Reads row after row. */
static void packTransposed(const Job *j, const Sizes *s, const float *from, int columns, int first, int gates, float *to) {
  ptrdiff_t block = (ptrdiff_t)gates * s->hiddenPadded * WIDTH;
  for (int gate = first; gate < first + gates; gate++)
    for (int unit = 0; unit < s->hiddenPadded; unit++, to += WIDTH) {
      const float *row = from + (ptrdiff_t)(gate * j->hiddenSize + unit) * columns;
      float *at = to;
      for (int column = 0; column < columns; column += WIDTH, at += block) {
        int width = unit < j->hiddenSize ? min(WIDTH, columns - column) : 0;
        copyFloats(row + column, at, width);
        zeroFloats(at + width, WIDTH - width);
      }
    }
}

/** Packs the weights of a layer for both passes. */
EXPORT SMALL void pack(const Job *j) {
  Sizes s = sizesOf(j);
  const Cell *cell = s.cell;
  int hiddenGates = s.hiddenTerms / s.hiddenPadded;
  packForward(j, &s);
  packTransposed(j, &s, j->weightHh, j->hiddenSize, 0, hiddenGates, j->transposedHh);
  if (cell->resetGates) {
    packTransposed(j, &s, j->weightHh, j->hiddenSize, hiddenGates, cell->resetGates, j->transposedHh + (ptrdiff_t)s.groups * s.hiddenTerms * WIDTH);
  }
  packTransposed(j, &s, j->weightIh, j->inputSize, 0, cell->gates, j->transposedIh);
}
