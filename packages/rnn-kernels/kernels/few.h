// The forward pass of a few rows. Its speed is that of reading the weights, so:
// - The input part of the sums is computed for several steps at once.
// - Each thread has a share of the hidden units, whose weights stay in its cache.
//
// All threads go through the steps together. A phase of a share begins when the phase before is done in all shares.
// A thread that waits for a share that nobody has claimed computes it, so a late thread costs time, never the result.
#pragma once
#include "forward.h"

/** Spins before a thread computes a share that another should. */
#define PATIENCE 2000
/** Spins after which a thread lets others run, every SPINS_BETWEEN spins. */
#define BUSY 4000
#define SPINS_BETWEEN 64
/** Spins after which WebAssembly's calling thread returns, and checks that the other threads make progress. */
#define MOST_SPINS (1 << 24)

/** Lets another thread run on this processor. A WebAssembly worker sleeps for a moment; a page's thread, which may call, must not. */
#if IS_WASM
static int32_t never;
#define GIVE_WAY(thread) (void)((thread) && __builtin_wasm_memory_atomic_wait32(&never, 0, 50000))
#elif !defined(GIVE_WAY)
#define GIVE_WAY(thread) RELAX()
#endif

INLINE int32_t *claimedOf(const Job *j, int share) { return j->phases + share * PHASE_WORDS; }
INLINE int32_t *doneOf(const Job *j, int share) { return claimedOf(j, share) + CACHE_LINE; }

INLINE int claims(const Job *j, int share, int phase) {
  // Load first: a failed exchange takes the cache line away from the thread that works.
  return __atomic_load_n(claimedOf(j, share), __ATOMIC_RELAXED) == phase && __atomic_compare_exchange_n(claimedOf(j, share), &phase, phase + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

INLINE int isDone(const Job *j, int phase) {
  int done = 1;
  for (int share = 0; share < j->shares; share++) done = done && __atomic_load_n(doneOf(j, share), __ATOMIC_ACQUIRE) > phase;
  return done;
}

/** The input part of the sums of a chunk of steps, for some groups. */
SHARED SMALL void multiplyInputs(const Block *b, int from, int to) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  const Cell *cell = s->cell;
  int steps = min(b->chunkSteps, b->longest - b->step), inputSize = j->inputSize;
  // A chunk ends where a row ends.
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

/** A phase of a share: the initial state, or a stage of a step. */
SHARED SMALL void computePhase(const Block *b, int rows, int phase, int stage, int share) {
  const Job *j = b->j;
  const Sizes *s = b->s;
  int from = s->groups * share / j->shares, to = s->groups * (share + 1) / j->shares, isLast = to == s->groups;
  if (phase == 0) {
    if (share == 0) startBlock(b, rows);
  } else {
    if (stage == 0) {
      if (share == 0 && j->save) loadInputs(j, b->begin, b->active, b->step, b->z + s->inputAt, s->row);
      if (b->chunkStep == 0) multiplyInputs(b, from, to);
      advance(b, from, to, 1);
    }
    if (!s->cell->forwardReset || stage == 1) {
      if (stage == 1) advanceReset(b, from, to);
      if (isLast) zeroMissing(b);
      writeStep(b, from, to);
    } else if (isLast) zeroMissingResets(b);
  }
  __atomic_store_n(doneOf(j, share), phase + 1, __ATOMIC_RELEASE);
}

/** Runs the steps of all rows together with the other threads; `share` is this thread's, `thread` 0 the caller. */
SHARED SMALL void forwardFew(const Job *j, const Sizes *s, const Room *room, int share, int thread) {
  int rows = j->batch, stages = s->cell->forwardReset ? 2 : 1, patience = PATIENCE;
  Block b = blockOf(j, s, room, 0, rows);
  for (int phase = 0, stage = 0; b.step < b.longest; phase++) {
    if (claims(j, share, phase)) computePhase(&b, rows, phase, stage, share);
    int helped = 0;
    for (int spins = 0; !isDone(j, phase); spins++) {
      for (int other = 0; spins >= patience && other < j->shares; other++)
        if (claims(j, other, phase)) computePhase(&b, rows, phase, stage, other), helped = 1;
      if (spins == MOST_SPINS) {
        if (IS_WASM && thread == 0) return;
        spins = BUSY;
      }
      if (spins > BUSY && spins % SPINS_BETWEEN == 0) GIVE_WAY(thread);
      else RELAX();
    }
    // Do not wait again for a thread that was missing.
    patience = helped ? 0 : PATIENCE;
    if (phase > 0 && ++stage == stages) stage = 0, leaveStep(&b);
  }
}
