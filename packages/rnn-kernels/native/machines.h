// The builds in this file, and which of them the processor runs: the fastest first.
#pragma once
#include <string.h>
#include "machine.h"

#if defined(__x86_64__)
extern const Machine avx512, avx2, sse2;
static const Machine *const machines[] = {&avx512, &avx2, &sse2};

static int runs(const Machine *machine) {
  __builtin_cpu_init();
  int fuses = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (machine == &avx2) return fuses;
  if (machine == &avx512) return fuses && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return 1;
}
#else
extern const Machine neon;
static const Machine *const machines[] = {&neon};

static int runs(const Machine *machine) {
  (void)machine;
  return 1;
}
#endif

enum { MACHINES = sizeof machines / sizeof *machines };
