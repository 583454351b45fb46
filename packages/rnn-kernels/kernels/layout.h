// Where things are: the sizes that follow from a job's shape, and the order of rows, packed weights and gradients.
#pragma once
#include "cells.h"
#include "job.h"
#include "tile.h"

/** Rows that go through all steps together, so what they share stays in the first-level cache. */
#ifndef ROW_BLOCK
#define ROW_BLOCK 66
#endif
/** Rows of gate gradients that a weight gradient is summed over before it goes back to memory: as many as stay in the first-level cache. */
#define SUMMED_TARGET 144
/** Rows of gate gradients that there is space for: one block is read while another is written. */
#define SUMMED_ROWS (3 * ROW_BLOCK)

/** Floats of a row of gate gradients beyond which many rows are in more pages than the processor knows addresses of; a group of them is brought together then. */
#ifndef FAR_ROW
#define FAR_ROW 500
#endif

/** Groups of hidden units whose gradients are computed at once, so that the gate gradients are read less often. */
#define PANEL 4

enum { CACHE_LINE = 16 }; // floats
enum { PHASE_WORDS = 2 * CACHE_LINE };

/** Rows of sums that a few rows compute at once: their input part is one product, which reads its weights once. */
#define FEW_SUMS 32

INLINE int min(int a, int b) { return a < b ? a : b; }
INLINE int max(int a, int b) { return a > b ? a : b; }
INLINE int ceilTo(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

/** The sizes of a job, in floats. */
typedef struct {
  const Cell *cell;
  int groups;         /* of WIDTH hidden units */
  int hiddenPadded;   /* Hp */
  int inputAt;        /* where x and h begin in a row [x | h] */
  int hiddenAt;
  int row;            /* from such a row to the next */
  int kept;           /* what a row keeps of a group and step */
  int hiddenPart;     /* where the parts of a row of gate gradients begin */
  int resetPart;
  int gatesRow;       /* from a row of gate gradients to the next */
  int hiddenTerms;    /* gate gradients that reach h_{t-1} by the first product */
  int groupWeights;   /* packed weights of a group */
  int tableRow;       /* of a slice's gradients with respect to the table */
  int partialTable;   /* where these begin in a slice's partial gradients, after those of the weights and the biases */
  int partial;        /* of a slice's partial gradients */
  int blockRows;      /* the most rows of a block */
} Sizes;

/** Where a sum's terms begin in a row [x | h], or in a row r·h. */
INLINE int termsBegin(const Sizes *s, Slot slot) { return slot.reads & INPUT ? s->inputAt : slot.reads == HIDDEN ? s->hiddenAt : 0; }

/** How many of a sum's terms are inputs; they come first. */
INLINE int inputTerms(const Job *j, Slot slot) { return slot.reads & INPUT ? j->inputSize : 0; }

/** How many terms a sum has. */
INLINE int termsOf(const Job *j, const Sizes *s, Slot slot) { return inputTerms(j, slot) + (slot.reads == INPUT ? 0 : s->hiddenPadded); }

/** Where a part of a row of gate gradients begins. */
INLINE int partBegin(const Sizes *s, int part) {
  return part == INPUT_PART ? 0 : part == HIDDEN_PART ? s->hiddenPart : s->resetPart;
}

SHARED SMALL Sizes sizesOf(const Job *j) {
  Sizes s;
  const Cell *cell = s.cell = &cells[j->cell];
  s.groups = (j->hiddenSize + WIDTH - 1) / WIDTH;
  s.hiddenPadded = s.groups * WIDTH;
  s.hiddenAt = ceilTo(j->inputSize, 4);
  s.inputAt = s.hiddenAt - j->inputSize;
  s.row = s.hiddenAt + s.hiddenPadded;
  // Rows a power of two apart would fall into the same cache sets.
  if (s.row % 32 == 0) s.row += 4;
  s.kept = cell->kept * WIDTH;
  s.hiddenPart = cell->hiddenGates ? cell->gates * s.hiddenPadded : 0;
  s.resetPart = s.hiddenPart + cell->hiddenGates * s.hiddenPadded;
  s.gatesRow = (cell->gates + cell->hiddenGates + cell->resetGates) * s.hiddenPadded + CACHE_LINE;
  s.hiddenTerms = (cell->hiddenGates ? cell->hiddenGates : cell->gates) * s.hiddenPadded;
  s.groupWeights = 0;
  for (int slot = 0; slot < cell->slots; slot++) s.groupWeights += termsOf(j, &s, cell->slot[slot]) * WIDTH;
  s.tableRow = cell->gates * s.hiddenPadded;
  s.partialTable = ceilTo(s.groups * (s.groupWeights + cell->slots * WIDTH), CACHE_LINE);
  s.partial = s.partialTable + ceilTo(j->vocabulary * s.tableRow, CACHE_LINE);
  s.blockRows = min((j->batch + j->slices - 1) / j->slices, ROW_BLOCK);
  return s;
}

/** The steps of row `place`, rows being ordered by length. */
INLINE int lengthOf(const Job *j, int place) { return j->hasLengths ? j->lengths[place] : j->time; }

/** The sum of the lengths of the rows before `place`. */
INLINE int startOf(const Job *j, int place) { return j->hasLengths ? j->starts[place] : place * j->time; }

/** The row of the batch at `place`. */
INLINE int rowAt(const Job *j, int place) { return j->hasLengths ? j->order[place] : place; }

/** The time step that the row at `place` reads in its step `step`. */
INLINE int timeOf(const Job *j, int place, int step) { return j->reverse ? lengthOf(j, place) - 1 - step : step; }

/** The row of the table that the row at `place` reads in its step `step`. */
INLINE int tokenOf(const Job *j, int place, int step) { return j->tokens[(ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, step)]; }

/** Rows of a block, from `begin` and `rows` in number, that have a step `step`. */
INLINE int activeAt(const Job *j, int begin, int rows, int step) {
  if (!j->hasLengths) return step < j->time ? rows : 0;
  while (rows > 0 && j->lengths[begin + rows - 1] <= step) rows--;
  return rows;
}

/** The first row of a slice. */
INLINE int sliceBegin(const Job *j, int slice) { return (int)((int64_t)j->batch * slice / j->slices); }

/** Scratch of a thread. */
typedef struct {
  float *rows;    /* two steps of rows, when nothing is kept */
  float *cells;
  float *sums;
  float *resets;
  float *dGates;
  float *gates;   /* of a group, brought together */
  float *carry;
  float *ends;    /* rows of which some end with a step */
  float *dHidden;
  int floats;
} Room;

/** Whether the sums of all groups are there at once when nothing is kept. */
INLINE int sumsApart(const Job *j, const Sizes *s) { return s->cell->forwardReset || j->shares || s->blockRows == 1; }

/** Steps whose input part is in memory at once. */
INLINE int stepsAtOnce(const Job *j, const Sizes *s) { return j->shares ? max(1, FEW_SUMS / s->blockRows) : 1; }

SHARED SMALL Room roomOf(const Job *j, const Sizes *s, int thread) {
  const Cell *cell = s->cell;
  int floats = 0;
  float *base = j->rooms;
#define TAKE(name, count) room.name = base + floats, floats += ceilTo((count), CACHE_LINE)
  Room room;
  if (j->save) {
    TAKE(dGates, SUMMED_ROWS * s->gatesRow);
    TAKE(gates, s->gatesRow > FAR_ROW ? SUMMED_ROWS * cell->slots * WIDTH : 0);
    TAKE(carry, s->blockRows * s->hiddenPadded);
    TAKE(ends, cell->hasCellState && j->hasLengths ? s->blockRows * s->row : 0);
    TAKE(dHidden, SUMMED_ROWS * PANEL * WIDTH);
  } else {
    TAKE(rows, 2 * s->blockRows * s->row);
    TAKE(cells, s->blockRows * s->hiddenPadded);
    TAKE(sums, stepsAtOnce(j, s) * s->blockRows * cell->slots * WIDTH * (sumsApart(j, s) ? s->groups : 1));
    TAKE(resets, cell->forwardReset ? s->blockRows * s->hiddenPadded : 0);
  }
#undef TAKE
  floats += CACHE_LINE;
  room.floats = floats;
  for (float **at = &room.rows; at <= &room.dHidden; at++) *at += (ptrdiff_t)thread * floats;
  return room;
}
