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

/** Copies x_t of each row to its place before h. */
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

/** Where a block of rows stands: a step, and the arrays of that step. */
typedef struct {
  const Job *j;
  const Sizes *s;
  const Room *room;
  int begin;        /* the block's first row, */
  int longest;      /* and its steps */
  int step;
  int isFresh;      /* whether h_{t-1} is zero in all rows */
  int active;       /* rows that have the step, */
  int next;         /* and the one after it */
  int chunkStep;    /* of the steps whose sums are in memory at once, */
  int chunkSteps;   /* and their number */
  float *z;         /* rows [x_t | h_{t-1}], and those of the step after */
  float *zNext;
  float *resets;
  float *sums;      /* and the activations that replace them */
  int sumsRow;
  ptrdiff_t groupSums;
  float *cBefore;   /* cell states before the step and after it: from a row, and from a group, to the next */
  ptrdiff_t cBeforeRow;
  ptrdiff_t cBeforeGroup;
  float *c;
  ptrdiff_t cRow;
  ptrdiff_t cGroup;
} Block;

/** What follows from the step and the rows that have it. */
SHARED SMALL void enterStep(Block *b) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  b->next = activeAt(j, b->begin, b->active, b->step + 1);
  // A hidden state of zeros adds nothing to the first step; weights that are not finite show in the next one.
  b->isFresh = b->step == 0 && b->longest > 1 && !j->hInitial;
  if (j->save) {
    b->groupSums = (ptrdiff_t)s->kept * b->active;
    b->zNext = b->z + (ptrdiff_t)b->active * s->row;
    b->c = b->sums + s->cell->cellAt, b->cRow = s->kept, b->cGroup = b->groupSums;
  } else {
    b->groupSums = sumsApart(j, s) ? b->sumsRow * s->blockRows : 0;
    b->zNext = b->room->rows + ((b->step + 1) & 1) * s->blockRows * s->row;
  }
}

/** The first step of a block. */
SHARED SMALL Block blockOf(const Job *j, const Sizes *s, const Room *room, int begin, int rows) {
  int start = startOf(j, begin);
  Block b = {.j = j, .s = s, .room = room, .begin = begin, .longest = lengthOf(j, begin), .active = activeAt(j, begin, rows, 0), .chunkSteps = stepsAtOnce(j, s)};
  b.z = j->save ? j->rows + (ptrdiff_t)(start + begin) * s->row : room->rows;
  b.resets = j->save ? j->resets + (ptrdiff_t)start * s->hiddenPadded : room->resets;
  b.sums = j->save ? j->kept + (ptrdiff_t)start * s->groups * s->kept : room->sums;
  b.sumsRow = j->save ? s->kept : s->cell->slots * WIDTH;
  b.cBefore = b.c = j->save ? j->cells + (ptrdiff_t)begin * s->hiddenPadded : room->cells;
  b.cBeforeRow = b.cRow = s->hiddenPadded, b.cBeforeGroup = b.cGroup = WIDTH;
  enterStep(&b);
  return b;
}

/** From a step to the next one. */
SHARED SMALL void leaveStep(Block *b) {
  ptrdiff_t sums = b->s->groups * b->groupSums;
  int isLast = ++b->chunkStep == b->chunkSteps || b->next != b->active;
  b->cBefore = b->c, b->cBeforeRow = b->cRow, b->cBeforeGroup = b->cGroup;
  if (b->j->save) b->sums += sums, b->resets += (ptrdiff_t)b->active * b->s->hiddenPadded;
  else b->sums = isLast ? b->room->sums : b->sums + sums;
  if (isLast) b->chunkStep = 0;
  b->z = b->zNext, b->active = b->next, b->step++;
  enterStep(b);
}

/** Brings the state before the first step. */
SHARED SMALL void startBlock(const Block *b, int rows) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  startRows(j, s, j->hInitial, b->begin, rows, b->z + s->hiddenAt, s->row);
  if (s->cell->hasCellState) startRows(j, s, j->cInitial, b->begin, rows, b->cBefore, s->hiddenPadded);
  zeroPadding(j, j->output, j->hiddenSize, b->begin, rows);
}

/** The step of a group of units, for the cell. */
INLINE Step stepOf(const Block *b, int group) {
  const Sizes *s = b->s;
  int unit = group * WIDTH, h = s->hiddenAt + unit;
  return (Step){
    .rows = b->active, .sums = b->sums + group * b->groupSums, .sumsRow = b->sumsRow,
    .hBefore = b->z + h, .hNext = b->zNext + h, .hRow = s->row,
    .cBefore = b->cBefore + group * b->cBeforeGroup, .cBeforeRow = b->cBeforeRow,
    .cNext = b->c + group * b->cGroup, .cNextRow = b->cRow, .reset = b->resets + unit, .resetRow = s->hiddenPadded,
  };
}

INLINE void nextGroup(const Block *b, Step *it) {
  it->sums += b->groupSums;
  it->hBefore += WIDTH;
  it->hNext += WIDTH;
  it->cBefore += b->cBeforeGroup;
  it->cNext += b->cGroup;
  it->reset += WIDTH;
}

/** Computes the sums of the groups [from, to), and the cell. With `goesOn` the input part is in the sums already. */
SHARED void advance(const Block *b, int from, int to, int goesOn) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  const Cell *cell = s->cell;
  Columns columns[4];
  const float *weights = j->forward + (ptrdiff_t)from * s->groupWeights, *bias = j->bias + from * cell->slots * WIDTH;
  Step it = stepOf(b, from);
  for (int k = 0; k < cell->firstSlots; k++) {
    int first = termsBegin(s, cell->slot[k]), inputs = inputTerms(j, cell->slot[k]), terms = termsOf(j, s, cell->slot[k]);
    int skipped = goesOn ? inputs : 0;
    columns[k] = (Columns){first + skipped, (b->isFresh ? inputs : terms) - skipped, weights + skipped * WIDTH, goesOn ? 0 : bias + k * WIDTH, it.sums + k * WIDTH};
    weights += terms * WIDTH;
  }
  // The units of one row are like the rows of a group: one call for all of them.
  int isOne = b->active == 1 && b->groupSums > 0;
  for (int group = from; group < to; group++) {
    if (!goesOn || !b->isFresh) multiply(b->active, b->z, s->row, columns, cell->firstSlots, b->sumsRow);
    if (j->vocabulary) addFromTable(j, s, b->begin, b->active, b->step, group, columns[0].to, b->sumsRow);
    for (int k = 0; k < cell->firstSlots; k++) {
      columns[k].b += s->groupWeights;
      if (!goesOn) columns[k].start += cell->slots * WIDTH;
      columns[k].to += b->groupSums;
    }
    if (isOne) continue;
    cell->forward(&it);
    nextGroup(b, &it);
  }
  if (isOne) {
    it.rows = to - from, it.sumsRow = b->groupSums, it.hRow = it.resetRow = WIDTH;
    it.cBeforeRow = b->cBeforeGroup, it.cNextRow = b->cGroup;
    cell->forward(&it);
  }
}

/** The second stage of a cell that has one, when r·h of all units is there. */
SHARED void advanceReset(const Block *b, int from, int to) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  const Cell *cell = s->cell;
  Step it = stepOf(b, from);
  const float *packed = j->forward + (ptrdiff_t)from * s->groupWeights;
  for (int k = 0; k < cell->firstSlots; k++) packed += termsOf(j, s, cell->slot[k]) * WIDTH;
  for (int group = from; group < to; group++, packed += s->groupWeights) {
    const Columns column = {0, b->isFresh ? 0 : s->hiddenPadded, packed, zeros, it.sums + cell->firstSlots * WIDTH};
    multiply(b->active, b->resets, s->hiddenPadded, &column, 1, b->sumsRow);
    cell->forwardReset(&it);
    nextGroup(b, &it);
  }
}

/** Zeroes r·h of padding units. */
SHARED SMALL void zeroMissingResets(const Block *b) {
  const Sizes *s = b->s;
  int hiddenSize = b->j->hiddenSize;
  for (int r = 0; r < b->active; r++) zeroFloats(b->resets + (ptrdiff_t)r * s->hiddenPadded + hiddenSize, s->hiddenPadded - hiddenSize);
}

/** Zeroes padding units: an infinite input makes them NaN, and a weight of zero passes NaN on. */
SHARED SMALL void zeroMissing(const Block *b) {
  const Sizes *s = b->s;
  int missing = s->hiddenPadded - b->j->hiddenSize;
  for (int r = 0; r < b->active && missing > 0; r++) {
    float *last = b->sums + (s->groups - 1) * b->groupSums + (ptrdiff_t)r * b->sumsRow + WIDTH - missing;
    for (int k = 0; k < s->cell->kept && b->j->save; k++) zeroFloats(last + k * WIDTH, missing);
    zeroFloats(b->zNext + (ptrdiff_t)r * s->row + s->hiddenAt + b->j->hiddenSize, missing);
  }
}

/** Copies the groups [from, to) to the output, and to the final states of rows that end. */
SHARED void writeStep(const Block *b, int from, int to) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  int unit = from * WIDTH, units = min(to * WIDTH, j->hiddenSize) - unit;
  const float *h = b->zNext + s->hiddenAt + unit;
  for (int r = 0; r < b->active && j->output; r++) {
    int place = b->begin + r;
    copyFloats(h + (ptrdiff_t)r * s->row, j->output + ((ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, b->step)) * j->hiddenSize + unit, units);
  }
  for (int r = b->next; r < b->active; r++) {
    ptrdiff_t row = (ptrdiff_t)rowAt(j, b->begin + r) * j->hiddenSize;
    copyFloats(h + (ptrdiff_t)r * s->row, j->hFinal + row + unit, units);
    for (int group = from; group < to && s->cell->hasCellState; group++)
      copyFloats(b->c + group * b->cGroup + r * b->cRow, j->cFinal + row + group * WIDTH, min(WIDTH, j->hiddenSize - group * WIDTH));
  }
}

static void forwardBlock(const Job *j, const Sizes *s, const Room *room, int begin, int rows) {
  Block b = blockOf(j, s, room, begin, rows);
  startBlock(&b, rows);
  for (; b.step < b.longest; leaveStep(&b)) {
    loadInputs(j, begin, b.active, b.step, b.z + s->inputAt, s->row);
    advance(&b, 0, s->groups, 0);
    if (s->cell->forwardReset) {
      zeroMissingResets(&b);
      advanceReset(&b, 0, s->groups);
    }
    zeroMissing(&b);
    writeStep(&b, 0, s->groups);
  }
}

#include "few.h"

/** Prepares a forward pass: no phase is claimed yet. */
EXPORT SMALL void begin(const Job *j) {
  for (int k = 0; k < j->shares * PHASE_WORDS; k++) j->phases[k] = 0;
}

/** Runs the rows of a slice on a thread, or a share of a few rows. */
EXPORT void forward(const void *job, int slice, int thread) {
  const Job *j = job;
  Sizes s = sizesOf(j);
  Room room = roomOf(j, &s, j->shares ? 0 : thread);
  int begin = sliceBegin(j, slice), end = sliceBegin(j, slice + 1);
  if (j->shares) {
    forwardFew(j, &s, &room, slice, thread);
    return;
  }
  for (int blocks = (end - begin + ROW_BLOCK - 1) / ROW_BLOCK; blocks > 0; blocks--) {
    int rows = (end - begin + blocks - 1) / blocks;
    forwardBlock(j, &s, &room, begin, rows);
    begin += rows;
  }
}
