// What follows the backward pass: the weight gradients in PyTorch's layout.
#pragma once
#include "forward.h"
#include "transpose.h"

/** Parts that the groups of hidden units are collected in. */
#define COLLECT_PARTS 8

/** Terms whose sums are there at once. */
enum { SUMMED_TERMS = 16 };

/** WIDTH floats of the slices' partial gradients, always summed in the same order. */
INLINE void sumSlices(const Job *j, const Sizes *s, const float *at, float *sums) {
  EACH_VECTOR {
    Vector sum = load(at + v);
    for (int slice = 1; slice < j->slices; slice++) sum += load(at + (ptrdiff_t)slice * s->partial + v);
    store(sums + v, sum);
  }
}

/** Sums of `terms` rows of a group's weight gradient, as rows of units of PyTorch's: to[u][k]. */
SHARED void collectTerms(const Job *j, const Sizes *s, const float *from, int units, int terms, float *to) {
  float sums[SUMMED_TERMS * WIDTH];
  for (int begin = 0; begin < terms; begin += SUMMED_TERMS) {
    int some = min(SUMMED_TERMS, terms - begin);
    for (int k = 0; k < some; k++) sumSlices(j, s, from + (ptrdiff_t)(begin + k) * WIDTH, sums + k * WIDTH);
    transpose(sums, WIDTH, some, units, to + begin, terms);
  }
}

static void collectSlot(const Job *j, const Sizes *s, Slot slot, int group, const float *weights, const float *bias) {
  int hiddenSize = j->hiddenSize, inputSize = j->inputSize, units = min(WIDTH, hiddenSize - group * WIDTH);
  ptrdiff_t row = slot.gate * hiddenSize + group * WIDTH; // in PyTorch's parameters
  if (slot.reads & INPUT) collectTerms(j, s, weights, units, inputSize, j->dWeightIh + row * inputSize);
  if (slot.reads != INPUT) collectTerms(j, s, weights + inputTerms(j, slot) * WIDTH, units, hiddenSize, j->dWeightHh + row * hiddenSize);
  float sums[WIDTH];
  sumSlices(j, s, bias, sums);
  for (int u = 0; u < units; u++) {
    if (slot.bias & BIAS_IH) j->dBiasIh[row + u] = sums[u];
    if (slot.bias & BIAS_HH) j->dBiasHh[row + u] = sums[u];
  }
}

/** Sums the slices' gradients with respect to a row of the table. */
SHARED SMALL void collectTable(const Job *j, const Sizes *s, int token) {
  const float *from = j->partials + s->partialTable + (ptrdiff_t)token * s->tableRow;
  float *to = j->dTable + (ptrdiff_t)token * s->cell->gates * j->hiddenSize;
  for (int gate = 0; gate < s->cell->gates; gate++, to += j->hiddenSize)
    for (int unit = 0; unit < s->hiddenPadded; unit += WIDTH, from += WIDTH) {
      float sums[WIDTH];
      sumSlices(j, s, from, sums);
      copyFloats(sums, to + unit, min(WIDTH, j->hiddenSize - unit));
    }
}

/** Sums the slices' gradients for a part of the groups, and of the table. */
EXPORT void collect(const void *job, int part, int thread) {
  (void)thread;
  const Job *j = job;
  Sizes s = sizesOf(j);
  const Cell *cell = s.cell;
  for (int token = (int)((int64_t)j->vocabulary * part / COLLECT_PARTS); token < (int64_t)j->vocabulary * (part + 1) / COLLECT_PARTS; token++) collectTable(j, &s, token);
  for (int group = s.groups * part / COLLECT_PARTS; group < s.groups * (part + 1) / COLLECT_PARTS; group++) {
    const float *weights = j->partials + (ptrdiff_t)group * s.groupWeights;
    const float *bias = j->partials + (ptrdiff_t)s.groups * s.groupWeights + group * cell->slots * WIDTH;
    for (int k = 0; k < cell->slots; k++) {
      collectSlot(j, &s, cell->slot[k], group, weights, bias);
      weights += termsOf(j, &s, cell->slot[k]) * WIDTH;
      bias += WIDTH;
    }
  }
}
