// Threads that share the slices of a job. The calling thread takes part: it does whatever slice nobody has claimed yet, so a thread that
// starts late or sleeps costs time, never the result.
#pragma once
#include <stdatomic.h>
#include <stdlib.h>
#include "machine.h"
#include "threads.h"

enum { MOST_THREADS = 64, SPINS_BEFORE_YIELD = 4000, SPINS_PER_LOOK = 64 };

/** A thread stays awake for so long after a job: waking one can take longer than a pass. */
#define AWAKE_MILLISECONDS 1.0

typedef struct Pool Pool;

typedef struct {
  Pool *pool;
  Thread thread;
  int index; /* the caller is 0 */
} Worker;

struct Pool {
  /** Generation of the job in the upper 32 bits, its slices in 16, the next one to take in 16. */
  _Atomic uint64_t claims;
  atomic_int done;
  atomic_int sleeping;
  atomic_int stopping;
  Operation operation;
  const void *job;
  Lock lock;
  Condition wake;
  int workers;
  /** Why there are not more: the number of the system's error, or 0. */
  int error;
  int process;
  Worker worker[MOST_THREADS];
};

/** Claims a slice of a generation; −1 when there is none any more. */
static int claim(Pool *pool, uint32_t generation) {
  uint64_t claims = atomic_load(&pool->claims);
  while ((uint32_t)(claims >> 32) == generation && (claims & 0xffff) < ((claims >> 16) & 0xffff))
    if (atomic_compare_exchange_weak(&pool->claims, &claims, claims + 1)) return (int)(claims & 0xffff);
  return -1;
}

/** Runs slices of a generation while there are some. What it reads cannot change before a claimed slice is done. */
static void work(Pool *pool, uint32_t generation, int thread) {
  for (int slice; (slice = claim(pool, generation)) >= 0;) {
    pool->operation(pool->job, slice, thread);
    atomic_fetch_add(&pool->done, 1);
  }
}

static uint32_t generationOf(Pool *pool) { return (uint32_t)(atomic_load(&pool->claims) >> 32); }

/** Waits for another generation: awake for a moment, then asleep. */
static void awaitJob(Pool *pool, uint32_t seen) {
  double until = milliseconds() + AWAKE_MILLISECONDS;
  do {
    for (int spin = 0; spin < SPINS_PER_LOOK; spin++) {
      if (generationOf(pool) != seen || atomic_load(&pool->stopping)) return;
      relax();
    }
  } while (milliseconds() < until);
  acquire(&pool->lock);
  atomic_fetch_add(&pool->sleeping, 1);
  while (generationOf(pool) == seen && !atomic_load(&pool->stopping)) sleepOn(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->sleeping, 1);
  release(&pool->lock);
}

THREAD_FUNCTION(runWorker, argument) {
  Worker *worker = argument;
  Pool *pool = worker->pool;
  uint32_t seen = 0;
  while (!atomic_load(&pool->stopping)) {
    awaitJob(pool, seen);
    seen = generationOf(pool);
    work(pool, seen, worker->index);
  }
  THREAD_END;
}

/** A pool of so many threads beside the caller, or of as many as the system gives; null without memory. */
static Pool *startPool(int workers) {
  Pool *pool = calloc(1, sizeof *pool);
  if (!pool) return 0;
  initialize(&pool->lock, &pool->wake);
  pool->process = processId();
  for (; pool->workers < workers; pool->workers++) {
    Worker *worker = &pool->worker[pool->workers];
    worker->pool = pool, worker->index = pool->workers + 1;
    pool->error = startThread(&worker->thread, runWorker, worker);
    if (pool->error) break;
  }
  return pool;
}

static void stopPool(Pool *pool) {
  atomic_store(&pool->stopping, 1);
  acquire(&pool->lock);
  wakeAll(&pool->wake);
  release(&pool->lock);
  // A forked child has none of the threads.
  for (int k = 0; k < pool->workers && pool->process == processId(); k++) joinThread(pool->worker[k].thread);
  free(pool);
}

/** Runs an operation on all slices of a job, on this thread alone without a pool; returns when all are done. */
static void runSlices(Pool *pool, Operation operation, const void *job, int slices) {
  if (!pool || slices == 1 || pool->workers == 0 || pool->process != processId()) {
    for (int slice = 0; slice < slices; slice++) operation(job, slice, 0);
    return;
  }
  uint32_t generation = generationOf(pool) + 1;
  pool->operation = operation, pool->job = job;
  atomic_store(&pool->done, 0);
  atomic_store(&pool->claims, (uint64_t)generation << 32 | (uint64_t)slices << 16);
  if (atomic_load(&pool->sleeping)) {
    acquire(&pool->lock);
    wakeAll(&pool->wake);
    release(&pool->lock);
  }
  work(pool, generation, 0);
  for (int spin = 0; atomic_load(&pool->done) < slices; spin++) {
    if (spin < SPINS_BEFORE_YIELD) relax();
    else giveWay();
  }
}
