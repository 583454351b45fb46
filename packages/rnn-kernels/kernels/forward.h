// The forward pass of one layer in one direction, for one slice of the batch.
//
// A block of rows goes through all its steps before the next block begins. Rows are ordered by length, so those that still have a
// step come first, and a step costs what they cost. Within a step the groups of hidden units are the outer loop, so weights stay in
// the first-level cache while the rows pass by.
#pragma once
#include "layout.h"

/** What sums begin with that add to nothing. */
static const float zeros[WIDTH];

INLINE void copyFloats(const float *from, float *to, int count) {
  int k = 0;
  for (; k + LANES <= count; k += LANES) store(to + k, load(from + k));
  for (; k < count; k++) to[k] = from[k];
}

INLINE void zeroFloats(float *to, int count) {
  int k = 0;
  for (; k + LANES <= count; k += LANES) store(to + k, splat(0));
  for (; k < count; k++) to[k] = 0;
}

/** The initial state of the rows of a block: from [N, H], or zeros. */
SHARED SMALL void startRows(const Job *j, const Sizes *s, const float *from, int begin, int rows, float *to, int toRow) {
  for (int r = 0; r < rows; r++, to += toRow) {
    int known = from ? j->hiddenSize : 0;
    if (from) copyFloats(from + (ptrdiff_t)rowAt(j, begin + r) * j->hiddenSize, to, known);
    zeroFloats(to + known, s->hiddenPadded - known);
  }
}

/** Copies x_t of each row to its place behind h. */
static void loadInputs(const Job *j, int begin, int rows, int step, float *to, int toRow) {
  int inputSize = j->inputSize;
  for (int r = 0; r < rows; r++, to += toRow) {
    int place = begin + r;
    copyFloats(j->x + ((ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, step)) * inputSize, to, inputSize);
  }
}

/** sums[…] += from[…] for WIDTH units, as far as there are so many. */
INLINE void addUnits(float *sums, const float *from, int count) {
  if (count >= WIDTH) {
    EACH_VECTOR store(sums + v, load(sums + v) + load(from + v));
  } else
    for (int k = 0; k < count; k++) sums[k] += from[k];
}

/** Adds the inputs' part, from the table, to the sums of a group that have one. */
SHARED void addFromTable(const Job *j, const Sizes *s, int begin, int rows, int step, int group, float *sums, int sumsRow) {
  const Cell *cell = s->cell;
  int units = min(WIDTH, j->hiddenSize - group * WIDTH);
  for (int r = 0; r < rows; r++, sums += sumsRow) {
    const float *from = j->table + (ptrdiff_t)tokenOf(j, begin + r, step) * cell->gates * j->hiddenSize + group * WIDTH;
    for (int k = 0; k < cell->firstSlots; k++)
      if (cell->slot[k].reads & INPUT) addUnits(sums + k * WIDTH, from + cell->slot[k].gate * j->hiddenSize, units);
  }
}

/** Output past the end of a row is zero; so is the gradient with respect to its inputs. */
SHARED SMALL void zeroPadding(const Job *j, float *sequence, int features, int begin, int rows) {
  if (!j->hasLengths || !sequence) return;
  for (int place = begin; place < begin + rows; place++) {
    int length = lengthOf(j, place);
    zeroFloats(sequence + ((ptrdiff_t)rowAt(j, place) * j->time + length) * features, (j->time - length) * features);
  }
}

/** Where the cell states after a step are: kept row by row of a group, or in room for one step. */
typedef struct {
  float *at;
  ptrdiff_t group;
  ptrdiff_t row;
} CellStates;

SHARED SMALL void storeCells(const Job *j, CellStates c, int group, int place, int r) {
  float *to = j->cFinal + (ptrdiff_t)rowAt(j, place) * j->hiddenSize + group * WIDTH;
  copyFloats(c.at + group * c.group + r * c.row, to, min(WIDTH, j->hiddenSize - group * WIDTH));
}

static void forwardBlock(const Job *j, const Sizes *s, const Room *room, int begin, int rows) {
  const Cell *cell = s->cell;
  int save = j->save, longest = lengthOf(j, begin), start = startOf(j, begin);
  float *z = save ? j->rows + (ptrdiff_t)(start + begin) * s->row : room->rows;
  float *resets = save ? j->resets + (ptrdiff_t)start * s->hiddenPadded : room->resets;
  float *cellsBefore = save ? j->cells + (ptrdiff_t)begin * s->hiddenPadded : room->cells;
  int sumsRow = save ? s->kept : cell->slots * WIDTH;
  float *sums = save ? j->kept + (ptrdiff_t)start * s->groups * s->kept : room->sums;
  float *sumsBefore = sums;
  ptrdiff_t groupBefore = 0;
  int active = activeAt(j, begin, rows, 0);

  startRows(j, s, j->hInitial, begin, rows, z, s->row);
  if (cell->hasCellState) startRows(j, s, j->cInitial, begin, rows, cellsBefore, s->hiddenPadded);
  zeroPadding(j, j->output, j->hiddenSize, begin, rows);
  for (int step = 0; step < longest; step++) {
    int next = activeAt(j, begin, active, step + 1);
    ptrdiff_t groupSums = save ? (ptrdiff_t)s->kept * active : sumsApart(s) ? sumsRow * s->blockRows : 0;
    float *zNext = save ? z + (ptrdiff_t)active * s->row : room->rows + ((step + 1) & 1) * s->blockRows * s->row;
    // A hidden state of zeros adds nothing to the first step; weights that are not finite show in the next one.
    int skipped = step == 0 && longest > 1 && !j->hInitial ? s->hiddenPadded : 0;
    loadInputs(j, begin, active, step, z + s->hiddenPadded, s->row);
    Columns columns[4];
    const float *weights = j->forward;
    for (int k = 0; k < cell->firstSlots; k++) {
      int first = termsBegin(s, cell->slot[k]), terms = termsOf(j, s, cell->slot[k]);
      int from = first < skipped ? min(skipped - first, terms) : 0;
      columns[k] = (Columns){first + from, terms - from, weights + from * WIDTH, j->bias + k * WIDTH, sums + k * WIDTH};
      weights += terms * WIDTH;
    }
    int hasC = save && step > 0;
    CellStates c = save ? (CellStates){sums + cell->cellAt, groupSums, s->kept} : (CellStates){cellsBefore, WIDTH, s->hiddenPadded};
    Step it = {
      .rows = active, .sums = sums, .sumsRow = sumsRow,
      .hBefore = z, .hNext = zNext, .hRow = s->row,
      .cBefore = hasC ? sumsBefore + cell->cellAt : cellsBefore, .cBeforeRow = hasC ? s->kept : s->hiddenPadded,
      .cNext = c.at, .cNextRow = c.row, .reset = resets, .resetRow = s->hiddenPadded,
    };
    // The units of one row are like the rows of a group: one call for all of them.
    int isOne = active == 1 && groupSums > 0;
    for (int group = 0; group < s->groups; group++) {
      multiply(active, z, s->row, columns, cell->firstSlots, sumsRow);
      if (j->vocabulary) addFromTable(j, s, begin, active, step, group, columns[0].to, sumsRow);
      for (int k = 0; k < cell->firstSlots; k++) {
        columns[k].b += s->groupWeights;
        columns[k].start += cell->slots * WIDTH;
        columns[k].to += groupSums;
      }
      if (isOne) continue;
      cell->forward(&it);
      it.sums += groupSums;
      it.hBefore += WIDTH;
      it.hNext += WIDTH;
      it.cBefore += hasC ? groupBefore : WIDTH;
      it.cNext += c.group;
      it.reset += WIDTH;
    }
    if (isOne) {
      it.rows = s->groups, it.sumsRow = groupSums, it.hRow = it.resetRow = WIDTH;
      it.cBeforeRow = hasC ? groupBefore : WIDTH, it.cNextRow = c.group;
      cell->forward(&it);
    }
    if (cell->forwardReset) {
      const float *packed = weights; // of the slot after the first ones
      if (s->hiddenPadded > j->hiddenSize)
        for (int r = 0; r < active; r++)
          zeroFloats(resets + (ptrdiff_t)r * s->hiddenPadded + j->hiddenSize, s->hiddenPadded - j->hiddenSize);
      it.rows = active, it.sums = sums, it.sumsRow = sumsRow, it.hBefore = z, it.hNext = zNext, it.hRow = s->row;
      for (int group = 0; group < s->groups; group++, packed += s->groupWeights) {
        const Columns column = {0, skipped ? 0 : s->hiddenPadded, packed, zeros, it.sums + cell->firstSlots * WIDTH};
        multiply(active, resets, s->hiddenPadded, &column, 1, sumsRow);
        cell->forwardReset(&it);
        it.sums += groupSums;
        it.hBefore += WIDTH;
        it.hNext += WIDTH;
      }
    }
    // Units that are not there stay zero, and what is kept of them: of an infinite input they are NaN, which a weight of zero passes on.
    int missing = s->hiddenPadded - j->hiddenSize;
    for (int r = 0; r < active && missing > 0; r++) {
      float *last = sums + (s->groups - 1) * groupSums + (ptrdiff_t)r * sumsRow + WIDTH - missing;
      for (int k = 0; k < cell->kept && save; k++) zeroFloats(last + k * WIDTH, missing);
      zeroFloats(zNext + (ptrdiff_t)r * s->row + j->hiddenSize, missing);
    }
    if (j->output)
      for (int r = 0; r < active; r++) {
        int place = begin + r;
        copyFloats(zNext + (ptrdiff_t)r * s->row, j->output + ((ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, step)) * j->hiddenSize, j->hiddenSize);
      }
    for (int r = next; r < active; r++) {
      int place = begin + r;
      copyFloats(zNext + (ptrdiff_t)r * s->row, j->hFinal + (ptrdiff_t)rowAt(j, place) * j->hiddenSize, j->hiddenSize);
      if (cell->hasCellState)
        for (int group = 0; group < s->groups; group++) storeCells(j, c, group, place, r);
    }
    sumsBefore = sums, groupBefore = groupSums;
    if (save) sums += s->groups * groupSums, resets += (ptrdiff_t)active * s->hiddenPadded;
    z = zNext;
    active = next;
  }
}

/** Runs the rows of a slice on a thread. */
EXPORT void forward(const void *job, int slice, int thread) {
  const Job *j = job;
  Sizes s = sizesOf(j);
  Room room = roomOf(j, &s, thread);
  int begin = sliceBegin(j, slice), end = sliceBegin(j, slice + 1);
  for (int blocks = (end - begin + ROW_BLOCK - 1) / ROW_BLOCK; blocks > 0; blocks--) {
    int rows = (end - begin + blocks - 1) / blocks;
    forwardBlock(j, &s, &room, begin, rows);
    begin += rows;
  }
}
