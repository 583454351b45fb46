// A job from its numbers, checked: addresses are never taken from JavaScript, they follow from the sizes and the arrays that come along. A
// wrong caller gets a message, not another process's memory.
#pragma once
#include "machine.h"
#include "pool.h"

/** Floats of an array: addresses of more than this are no sum of a right caller. */
#define MOST_FLOATS (1LL << 36)
enum { MOST_SIZE = 1 << 24, MOST_SLICES = 64, MOST_FEW_ROWS = 32, NUMBERS_PADDING = 64 };

#define COUNT_FIELD(...) +1
#define NO_FIELD(...)
/** The numbers of a job, which come first, and its arrays. */
enum { NUMBERS = 0 JOB_FIELDS(COUNT_FIELD, NO_FIELD), ARRAYS = 0 JOB_FIELDS(NO_FIELD, COUNT_FIELD) };

static int isBetween(int64_t value, int64_t low, int64_t high) { return value >= low && value <= high; }

/** Reads the numbers into a job without arrays; returns what is wrong, or null. */
static const char *readJob(const Machine *machine, const int32_t *numbers, size_t count, Job *job) {
  const Job empty = {0};
  *job = empty;
  if (count != NUMBERS) return "the numbers are not those of a job";
  int field = 0;
#define READ(name) job->name = numbers[field++];
  JOB_FIELDS(READ, NO_FIELD)
#undef READ
  const Job *j = job;
  if (!isBetween(j->cell, 0, machine->cells - 1)) return "there is no such cell";
  if (!isBetween(j->batch, 1, MOST_SIZE) || !isBetween(j->time, 1, MOST_SIZE)) return "batch or time is out of range";
  if (!isBetween(j->vocabulary, 0, MOST_SIZE) || !isBetween(j->inputSize, 0, MOST_SIZE) || !isBetween(j->hiddenSize, 1, MOST_SIZE)) return "a size is out of range";
  if (!isBetween(j->slices, 1, MOST_SLICES) || j->slices > j->batch) return "slices is out of range";
  if (!isBetween(j->shares, 0, MOST_SLICES) || (j->shares && (j->slices > 1 || j->batch > MOST_FEW_ROWS))) return "shares is out of range";
  if (!isBetween(j->threads, 1, MOST_THREADS)) return "threads is out of range";
  int flags = j->reverse | j->save | j->hasLengths | j->hasInitial | j->hasBias | j->wantsOutput | j->borrows;
  if (!isBetween(flags, 0, 1) || j->borrows != 1) return "a flag is neither 0 nor 1";
  int64_t padded = j->hiddenSize + NUMBERS_PADDING, row = padded + j->inputSize + NUMBERS_PADDING;
  // The kernels count rows of all steps, and floats of weights and of a row, in 32 bits.
  if ((int64_t)j->batch * j->time >= INT32_MAX || 4 * padded * (row + j->vocabulary) >= INT32_MAX / 2) return "the job is too large";
  if ((int64_t)j->batch * j->time * 8 * row >= MOST_FLOATS) return "the job is too large";
  return 0;
}

/** Whether the ordered rows are rows, and their lengths never grow, are from 1 to T, and have these sums. */
static int isOrdered(const Job *j) {
  int64_t sum = 0;
  for (int place = 0; place < j->batch; place++) {
    int length = j->lengths[place];
    if (!isBetween(length, 1, place ? j->lengths[place - 1] : j->time)) return 0;
    if (!isBetween(j->order[place], 0, j->batch - 1) || j->starts[place] != sum) return 0;
    sum += length;
  }
  return j->starts[j->batch] == sum;
}

/** Whether the table has every row that is read of it. */
static int isInTable(const Job *j) {
  if (!j->vocabulary) return 1;
  for (int64_t at = 0; at < (int64_t)j->batch * j->time; at++)
    if (!isBetween(j->tokens[at], 0, j->vocabulary - 1)) return 0;
  return 1;
}
