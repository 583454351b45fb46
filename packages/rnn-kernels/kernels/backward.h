// The backward pass of one layer in one direction, for one slice of the batch, from the last step to the first:
//
//     h̄ = ġ_{t+1}·W_hh + what passes on + upstream, and from it ġ_t, the gradient with respect to the sums, as the cell says
//     dW = Σ_t ġ_tᵀ·[x_t | h_{t-1}]
//
// Gate gradients are needed for a few steps only, so their scratch is used again and stays in the cache. It fills from its
// end: rows of several steps are in the order of time, as [x | h] is, and weight gradients are summed over all at once.
#pragma once
#include "forward.h"

/** A bias's gradient, Σ_row gates[row]; with `copy` the rows are brought together there too. */
SHARED void addRows(const float *from, int row, int rows, float *to, float *copy, int copyRow) {
  Group sums = loadGroup(to);
  for (int r = 0; r < rows; r++, from += row, copy += copyRow) {
    Group gates = loadGroup(from);
    EACH sums.v[n] += gates.v[n];
    if (copyRow) storeGroup(copy, gates);
  }
  storeGroup(to, sums);
}

/** A slot's weight gradient: the gate gradients it comes from, and where its terms are. */
typedef struct {
  const float *gates;
  float *to;
  int first;
  int terms;
} SlotGradient;

/**
 * dW[k] += Σ_row from[row][k]·gates[row] for the columns `begin` to before `end` of `from`, and all slots that read them.
 * The rows before `first` are zeros.
 */
SHARED void addColumns(const float *from, int fromRow, int begin, int end, const SlotGradient *slots, int count, int first, int rows, int gatesRow) {
  for (int left = tilesOf(end - begin); left > 0; left--) {
    int some = tileRows(end - begin, left), reading = 0;
    Columns columns[4];
    for (int k = 0; k < count; k++) {
      if (begin < slots[k].first || begin >= slots[k].first + slots[k].terms) continue;
      float *at = slots[k].to + (begin - slots[k].first) * WIDTH;
      columns[reading++] = (Columns){0, rows - first, slots[k].gates + first * gatesRow, 0, at};
    }
    // A few columns for all gates before the next: they stay in the first-level cache.
    addOuterProducts(some, from + first * fromRow + begin, fromRow, gatesRow, columns, reading);
    begin += some;
  }
}

/** to[…] += from[…], whole vectors. */
static void addFloats(const float *from, float *to, int count) {
  for (int k = 0; k < count; k += LANES) store(to + k, load(to + k) + load(from + k));
}

/** Adds the weight gradients of `rows` rows to a slice's partial ones. h_{t-1} is zero in the first `fresh` of them. */
static void addWeightGradients(const Job *j, const Sizes *s, const Room *room, const float *z, const float *resets, const float *dGates, int fresh, int rows, float *partial) {
  const Cell *cell = s->cell;
  int sums = cell->firstSlots; // those that read [x | h]
  int isFar = s->gatesRow > FAR_ROW, gatesRow = isFar ? cell->slots * WIDTH : s->gatesRow;
  float *dBias = partial + (ptrdiff_t)s->groups * s->groupWeights;
  for (int group = 0; group < s->groups; group++) {
    SlotGradient slots[4];
    for (int k = 0; k < cell->slots; k++) {
      Slot slot = cell->slot[k];
      const float *gates = dGates + partBegin(s, slot.part) + slot.place * s->hiddenPadded + group * WIDTH;
      float *copy = room->gates + k * WIDTH;
      addRows(gates, s->gatesRow, rows, dBias, copy, isFar ? gatesRow : 0);
      slots[k] = (SlotGradient){isFar ? copy : gates, partial, termsBegin(s, slot), termsOf(j, s, slot)};
      partial += slots[k].terms * WIDTH;
      dBias += WIDTH;
    }
    addColumns(z, s->row, s->inputAt, s->hiddenAt, slots, sums, 0, rows, gatesRow);
    addColumns(z, s->row, s->hiddenAt, s->hiddenAt + s->hiddenPadded, slots, sums, fresh, rows, gatesRow);
    if (cell->resetGates) addColumns(resets, s->hiddenPadded, 0, s->hiddenPadded, slots + sums, 1, fresh, rows, gatesRow);
  }
}

/** ġ·W for up to PANEL times WIDTH columns of packed weights, of which each has `terms`. */
SHARED void gatesTimes(const float *packed, int terms, int count, int rows, const float *dGates, int gatesRow, float *to, int toRow) {
  Columns columns[PANEL];
  for (int k = 0; k < count; k++) columns[k] = (Columns){0, terms, packed + (ptrdiff_t)k * terms * WIDTH, zeros, to + k * WIDTH};
  multiply(rows, dGates, gatesRow, columns, count, toRow);
}

/** ġ·W_hh for the units of PANEL groups from `group` on, as far as there are so many: [rows, PANEL·WIDTH]. */
static void hiddenGradients(const Job *j, const Sizes *s, const float *dGates, int rows, int group, float *to) {
  const float *packed = j->transposedHh + (ptrdiff_t)group * s->hiddenTerms * WIDTH;
  gatesTimes(packed, s->hiddenTerms, min(PANEL, s->groups - group), rows, dGates + s->hiddenPart, s->gatesRow, to, PANEL * WIDTH);
}

/**
 * ġ·W_ih of `summed` rows of gate gradients, those of the steps from `step` on: of several steps at once, so W_ih is read less often than
 * once a step. PANEL columns at once, as above.
 */
static void inputGradients(const Job *j, const Sizes *s, const Room *room, const float *dGates, int begin, int rows, int step, int summed) {
  int terms = s->cell->gates * s->hiddenPadded;
  for (int first = 0; first < j->inputSize; first += PANEL * WIDTH) {
    const float *found = room->dHidden;
    int width = min(PANEL * WIDTH, j->inputSize - first), count = (width + WIDTH - 1) / WIDTH;
    gatesTimes(j->transposedIh + (ptrdiff_t)first * terms, terms, count, summed, dGates, s->gatesRow, room->dHidden, count * WIDTH);
    for (int t = step, left = summed; left > 0; t++) {
      int active = activeAt(j, begin, rows, t);
      for (int r = 0; r < active; r++, found += count * WIDTH) {
        int place = begin + r;
        copyFloats(found, j->dX + ((ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, t)) * j->inputSize + first, width);
      }
      left -= active;
    }
  }
}

/** h_t of an LSTM's rows. Where a row ends, a later step's rows have replaced it, so it comes from the final state. */
SHARED SMALL const float *hiddenNow(const Job *j, const Sizes *s, const Room *room, const float *next, int begin, int after, int active) {
  if (!s->cell->hasCellState || !j->hasLengths || after == active) return next;
  copyFloats(next, room->ends, after * s->row);
  startRows(j, s, j->hFinal, begin + after, active - after, room->ends + after * s->row + s->hiddenAt, s->row);
  return room->ends;
}

static void backwardBlock(const Job *j, const Sizes *s, const Room *room, int begin, int rows, float *partial) {
  const Cell *cell = s->cell;
  int longest = lengthOf(j, begin), start = startOf(j, begin), steps = startOf(j, begin + rows) - start;
  int hiddenSize = j->hiddenSize;
  float *dTable = partial + s->partialTable;
  float *z = j->rows + (ptrdiff_t)(start + begin + steps) * s->row; // of the step after the present one
  float *kept = j->kept + (ptrdiff_t)(start + steps) * s->groups * s->kept;
  float *resets = j->resets + (ptrdiff_t)(start + steps) * s->hiddenPadded;
  float *end = room->dGates + (ptrdiff_t)SUMMED_ROWS * s->gatesRow, *dGates = end, *carry = room->carry;
  int active = 0, summed = 0;
  // Equal parts: with one of a few rows left over, the last sums would be slow.
  int parts = (steps + SUMMED_TARGET - 1) / SUMMED_TARGET, target = (steps + parts - 1) / parts;
  zeroPadding(j, j->dX, j->inputSize, begin, rows);
  for (int step = longest - 1; step >= 0; step--) {
    int after = active; // rows that have a step more
    active = activeAt(j, begin, rows, step);
    int before = step > 0 ? activeAt(j, begin, rows, step - 1) : rows;
    float *dGatesNext = dGates;
    // dGates is the place of the step after; where there is no more room before it, begin at the end again.
    dGates = (summed ? dGates : end) - (ptrdiff_t)active * s->gatesRow;
    summed += active;
    z -= (ptrdiff_t)active * s->row;
    ptrdiff_t groupKept = (ptrdiff_t)active * s->kept, groupBefore = (ptrdiff_t)before * s->kept;
    kept -= s->groups * groupKept;
    resets -= (ptrdiff_t)active * s->hiddenPadded;
    if (cell->hasCellState || cell->hiddenGates)
      startRows(j, s, j->dCFinal, begin + after, active - after, carry + (ptrdiff_t)after * s->hiddenPadded, s->hiddenPadded);
    const float *h = hiddenNow(j, s, room, z + (ptrdiff_t)active * s->row, begin, after, active);
    const Pullback first = {
      .rows = active, .dHiddenRow = PANEL * WIDTH, .kept = kept, .keptRow = s->kept, .hBefore = z + s->hiddenAt, .h = h + s->hiddenAt, .hRow = s->row,
      .cBefore = step > 0 ? kept - s->groups * groupBefore + cell->cellAt : j->cells + (ptrdiff_t)begin * s->hiddenPadded,
      .cBeforeRow = step > 0 ? s->kept : s->hiddenPadded,
      .carry = carry, .carryRow = s->hiddenPadded,
      .dInput = dGates, .dHiddenGates = dGates + s->hiddenPart, .dReset = dGates + s->resetPart,
      .gate = s->hiddenPadded, .dGatesRow = s->gatesRow,
    };
    Pullback it = first;
    // The units of one row are like the rows of a group: one call for a panel.
    int isOne = active == 1 && !cell->resetGates;
    if (isOne) {
      it.dHiddenRow = it.hRow = it.carryRow = it.dGatesRow = WIDTH, it.keptRow = groupKept;
      it.cBeforeRow = step > 0 ? groupBefore : WIDTH;
    }
    for (int group = 0; group < s->groups; group++) {
      int unit = group * WIDTH, units = min(WIDTH, hiddenSize - unit), inPanel = group % PANEL;
      if (inPanel == 0) {
        hiddenGradients(j, s, dGatesNext, after, group, room->dHidden);
        for (int r = after; r < active; r++) zeroFloats(room->dHidden + r * PANEL * WIDTH, PANEL * WIDTH);
      }
      float *dHidden = room->dHidden + inPanel * WIDTH;
      if (j->dOutput)
        for (int r = 0; r < active; r++) {
          int place = begin + r;
          addUnits(dHidden + r * PANEL * WIDTH, j->dOutput + ((ptrdiff_t)rowAt(j, place) * j->time + timeOf(j, place, step)) * hiddenSize + unit, units);
        }
      if (j->dHFinal)
        for (int r = after; r < active; r++) addUnits(dHidden + r * PANEL * WIDTH, j->dHFinal + (ptrdiff_t)rowAt(j, begin + r) * hiddenSize + unit, units);
      int some = 1;
      if (isOne) {
        if (inPanel < PANEL - 1 && group < s->groups - 1) continue;
        it.rows = some = inPanel + 1;
        dHidden = room->dHidden;
      }
      it.dHidden = dHidden;
      cell->backward(&it);
      it.kept += some * groupKept;
      it.hBefore += some * WIDTH;
      it.h += some * WIDTH;
      it.cBefore += some * (step > 0 ? groupBefore : WIDTH);
      it.carry += some * WIDTH;
      it.dInput += some * WIDTH;
      it.dHiddenGates += some * WIDTH;
      it.dReset += some * WIDTH;
    }
    if (cell->backwardReset) {
      const float *packed = j->transposedHh + (ptrdiff_t)s->groups * s->hiddenTerms * WIDTH;
      int terms = cell->resetGates * s->hiddenPadded;
      it = first;
      it.dHidden = room->dHidden, it.dHiddenRow = WIDTH;
      for (int group = 0; group < s->groups; group++, packed += terms * WIDTH) {
        multiply(active, dGates + s->resetPart, s->gatesRow, &(Columns){0, terms, packed, zeros, room->dHidden}, 1, WIDTH);
        cell->backwardReset(&it);
        it.kept += groupKept;
        it.hBefore += WIDTH;
        it.carry += WIDTH;
        it.dInput += WIDTH;
        it.dHiddenGates += WIDTH;
      }
    }
    // What a step reads of the table gets the gradient of the sums that it was added to: those of the inputs' part.
    if (j->vocabulary)
      for (int r = 0; r < active; r++)
        addFloats(dGates + (ptrdiff_t)r * s->gatesRow, dTable + (ptrdiff_t)tokenOf(j, begin + r, step) * s->tableRow, s->tableRow);
    // The next step begins at the end of the scratch again, and reads this one's rows there: they must not overlap.
    int isEnough = summed >= target && summed >= active + before;
    if (step == 0 || isEnough || summed + before > SUMMED_ROWS) {
      if (j->dX) inputGradients(j, s, room, dGates, begin, rows, step, summed);
      addWeightGradients(j, s, room, z, resets, dGates, step > 0 || j->hInitial ? 0 : active, summed, partial);
      summed = 0;
    }
  }
  // dGates is that of the first step.
  for (int group = 0; group < s->groups && j->dHInitial; group++) {
    int unit = group * WIDTH;
    if (group % PANEL == 0) hiddenGradients(j, s, dGates, rows, group, room->dHidden);
    for (int r = 0; r < rows; r++) {
      float *sums = room->dHidden + (r * PANEL + group % PANEL) * WIDTH;
      if (cell->hiddenGates) addUnits(sums, carry + (ptrdiff_t)r * s->hiddenPadded + unit, WIDTH);
      copyFloats(sums, j->dHInitial + (ptrdiff_t)rowAt(j, begin + r) * hiddenSize + unit, min(WIDTH, hiddenSize - unit));
    }
  }
  for (int r = 0; r < rows && j->dCInitial; r++) copyFloats(carry + (ptrdiff_t)r * s->hiddenPadded, j->dCInitial + (ptrdiff_t)rowAt(j, begin + r) * hiddenSize, hiddenSize);
}

/** A job without the gradients that nobody brings or wants. */
SHARED SMALL Job onlyWanted(Job j) {
  if (!(j.gradients & D_OUTPUT)) j.dOutput = 0;
  if (!(j.gradients & D_H_FINAL)) j.dHFinal = 0;
  if (!(j.gradients & D_C_FINAL)) j.dCFinal = 0;
  if (!(j.gradients & D_X)) j.dX = 0;
  if (!(j.gradients & D_INITIAL)) j.dHInitial = j.dCInitial = 0;
  return j;
}

/** Runs the rows of a slice on a thread and leaves their weight gradients among the partial ones. */
EXPORT void backward(const void *job, int slice, int thread) {
  const Job wanted = onlyWanted(*(const Job *)job), *j = &wanted;
  Sizes s = sizesOf(j);
  Room room = roomOf(j, &s, thread);
  float *partial = j->partials + (ptrdiff_t)slice * s.partial;
  int begin = sliceBegin(j, slice), end = sliceBegin(j, slice + 1);
  zeroFloats(partial, s.partial);
  for (int blocks = (end - begin + ROW_BLOCK - 1) / ROW_BLOCK; blocks > 0; blocks--) {
    int rows = (end - begin + blocks - 1) / blocks;
    backwardBlock(j, &s, &room, begin, rows, partial);
    begin += rows;
  }
}

