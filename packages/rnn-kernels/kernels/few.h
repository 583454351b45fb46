// The forward pass of a few rows, which is as fast as weights can be read. So the inputs' part of the sums is made for several steps at once, and
// each thread has a share of the hidden units, whose weights stay in its cache.
//
// All threads go through the steps together: a step's turn of a share begins when those of the step before are done. Who waits for a turn that
// nobody takes takes it, so a thread that starts late or sleeps costs time, never the result.
#pragma once
#include "forward.h"

/** Turns of the waiting loop before one takes what another should. */
#define PATIENCE 2000
/** And those after which a thread lets others run, from time to time. */
#define BUSY 4000
#define SPINS_BETWEEN 64
/** And those after which WebAssembly's calling thread leaves the pass to the others, and looks whether they go on. The system's threads do not get lost. */
#define MOST_SPINS (1 << 24)

/** Lets another thread run on this processor, where a build can. */
#ifndef GIVE_WAY
#define GIVE_WAY() RELAX()
#endif

INLINE int32_t *takenOf(const Job *j, int share) { return j->turns + share * TURN_WORDS; }
INLINE int32_t *doneOf(const Job *j, int share) { return takenOf(j, share) + CACHE_LINE; }

INLINE int takes(const Job *j, int share, int turn) {
  // A look first: an exchange that fails takes the line away from who works.
  return __atomic_load_n(takenOf(j, share), __ATOMIC_RELAXED) == turn && __atomic_compare_exchange_n(takenOf(j, share), &turn, turn + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

INLINE int isDone(const Job *j, int turn) {
  int done = 1;
  for (int share = 0; share < j->shares; share++) done = done && __atomic_load_n(doneOf(j, share), __ATOMIC_ACQUIRE) > turn;
  return done;
}

/** The inputs' part of the sums of all steps that are there at once, for some groups. */
SHARED SMALL void multiplyInputs(const Block *b, int from, int to) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  const Cell *cell = s->cell;
  int steps = min(b->turns, b->longest - b->step), inputSize = j->inputSize;
  // Rows end with a step.
  while (steps > 1 && activeAt(j, b->begin, b->active, b->step + steps - 1) < b->active) steps--;
  Columns columns[4];
  for (int group = from; group < to; group++) {
    const float *weights = j->forward + (ptrdiff_t)group * s->groupWeights, *bias = j->bias + group * cell->slots * WIDTH;
    for (int r = 0; r < b->active; r++) {
      const float *packed = weights, *x = j->x + ((ptrdiff_t)rowAt(j, b->begin + r) * j->time + timeOf(j, b->begin + r, b->step)) * inputSize;
      float *sums = b->sums + group * b->groupSums + (ptrdiff_t)r * b->sumsRow;
      for (int k = 0; k < cell->firstSlots; k++) {
        columns[k] = (Columns){0, inputTerms(j, cell->slot[k]), packed, bias + k * WIDTH, sums + k * WIDTH};
        packed += termsOf(j, s, cell->slot[k]) * WIDTH;
      }
      multiply(steps, x, j->reverse ? -inputSize : inputSize, columns, cell->firstSlots, s->groups * b->groupSums);
    }
  }
}

/** A turn of a share: the state before the first step, or a stage of a step. */
SHARED SMALL void takeTurn(const Block *b, int rows, int turn, int stage, int share) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  int from = s->groups * share / j->shares, to = s->groups * (share + 1) / j->shares, isLast = to == s->groups;
  if (turn == 0) {
    if (share == 0) startBlock(b, rows);
  } else {
    if (stage == 0) {
      if (share == 0 && j->save) loadInputs(j, b->begin, b->active, b->step, b->z + s->inputAt, s->row);
      if (b->turn == 0) multiplyInputs(b, from, to);
      advance(b, from, to, 1);
    }
    if (!s->cell->forwardReset || stage == 1) {
      if (stage == 1) advanceReset(b, from, to);
      if (isLast) zeroMissing(b);
      writeStep(b, from, to);
    } else if (isLast) zeroMissingResets(b);
  }
  __atomic_store_n(doneOf(j, share), turn + 1, __ATOMIC_RELEASE);
}

/** Takes part in the steps of all rows, with a share of one's own; the calling thread is `thread` 0. */
SHARED SMALL void forwardFew(const Job *j, const Sizes *s, const Room *room, int share, int thread) {
  int rows = j->batch, stages = s->cell->forwardReset ? 2 : 1, patience = PATIENCE;
  Block b = blockOf(j, s, room, 0, rows);
  for (int turn = 0, stage = 0; b.step < b.longest; turn++) {
    if (takes(j, share, turn)) takeTurn(&b, rows, turn, stage, share);
    int helped = 0;
    for (int spins = 0; !isDone(j, turn); spins++) {
      for (int other = 0; spins >= patience && other < j->shares; other++)
        if (takes(j, other, turn)) takeTurn(&b, rows, turn, stage, other), helped = 1;
      if (spins == MOST_SPINS) {
        if (IS_WASM && thread == 0) return;
        spins = BUSY;
      }
      if (spins > BUSY && spins % SPINS_BETWEEN == 0) GIVE_WAY();
      else RELAX();
    }
    // A thread that was not there is not waited for again.
    patience = helped ? 0 : PATIENCE;
    if (turn > 0 && ++stage == stages) stage = 0, leaveStep(&b);
  }
}
