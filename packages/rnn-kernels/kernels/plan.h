// Where the arrays of a job begin: the caller gives a block of memory, and is told how much it must be.
#pragma once
#include "layout.h"

/** Takes `count` values for a field, on cache lines of their own, or leaves it null. */
#define PLACE(name, count, wanted) \
  do { \
    j->name = (wanted) ? (void *)((uintptr_t)base + (uintptr_t)bytes) : 0; \
    if (wanted) bytes += ((int64_t)(count) * 4 + 63) / 64 * 64; \
  } while (0)

/** Places everything that a pass reads and writes but its weights, from `base` on; returns its bytes. */
EXPORT SMALL double planPass(Job *j, char *base) {
  Sizes s = sizesOf(j);
  int save = j->save, hasCell = s.cell->hasCellState;
  int64_t bytes = 0, states = (int64_t)j->batch * j->hiddenSize, sequence = (int64_t)j->batch * j->time;
  int64_t padded = (int64_t)j->batch * s.hiddenPadded, gates = (int64_t)s.cell->gates * j->hiddenSize;
  PLACE(order, j->batch, j->hasLengths);
  PLACE(lengths, j->batch, j->hasLengths);
  PLACE(starts, j->batch + 1, j->hasLengths);
  PLACE(x, sequence * j->inputSize, !j->borrows);
  PLACE(tokens, sequence, j->vocabulary);
  PLACE(table, j->vocabulary * gates, j->vocabulary);
  PLACE(hInitial, states, j->hasInitial);
  PLACE(cInitial, states, j->hasInitial && hasCell);
  PLACE(output, sequence * j->hiddenSize, j->wantsOutput);
  PLACE(hFinal, states, 1);
  PLACE(cFinal, states, hasCell);
  PLACE(phases, j->shares * PHASE_WORDS, j->shares);
  PLACE(rows, (sequence + j->batch) * s.row, save);
  PLACE(kept, sequence * s.groups * s.kept, save);
  PLACE(cells, padded, save && hasCell);
  PLACE(resets, sequence * s.hiddenPadded, save && s.cell->forwardReset);
  PLACE(dOutput, sequence * j->hiddenSize, save && j->wantsOutput && !j->borrows);
  PLACE(dHFinal, states, save);
  PLACE(dCFinal, states, save && hasCell);
  PLACE(dX, sequence * j->inputSize, save);
  PLACE(dTable, j->vocabulary * gates, save && j->vocabulary);
  PLACE(dHInitial, states, save && j->hasInitial);
  PLACE(dCInitial, states, save && j->hasInitial && hasCell);
  PLACE(dWeightIh, gates * j->inputSize, save);
  PLACE(dWeightHh, gates * j->hiddenSize, save);
  PLACE(dBiasIh, gates, save);
  PLACE(dBiasHh, gates, save);
  PLACE(partials, (int64_t)j->slices * s.partial, save);
  j->rooms = 0;
  int room = roomOf(j, &s, 0).floats;
  PLACE(rooms, (int64_t)(j->shares && !save ? 1 : j->threads) * room, 1);
  return (double)bytes;
}

/** Places the weights of a layer, as PyTorch lays them out and packed, from `base` on; returns their bytes. */
EXPORT SMALL double planWeights(Job *j, char *base) {
  Sizes s = sizesOf(j);
  int64_t bytes = 0, gates = (int64_t)s.cell->gates * j->hiddenSize;
  PLACE(weightIh, gates * j->inputSize, !j->borrows);
  PLACE(weightHh, gates * j->hiddenSize, !j->borrows);
  PLACE(biasIh, gates, !j->borrows && j->hasBias);
  PLACE(biasHh, gates, !j->borrows && j->hasBias);
  PLACE(forward, (int64_t)s.groups * s.groupWeights, 1);
  PLACE(bias, (int64_t)s.groups * s.cell->slots * WIDTH, 1);
  PLACE(transposedHh, (int64_t)s.groups * WIDTH * (s.hiddenTerms + s.cell->resetGates * s.hiddenPadded), 1);
  PLACE(transposedIh, (int64_t)ceilTo(j->inputSize, WIDTH) * s.cell->gates * s.hiddenPadded, 1);
  return (double)bytes;
}
