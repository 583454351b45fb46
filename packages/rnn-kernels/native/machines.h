// The builds in this file, and which of them the processor runs: the fastest first.
#pragma once
#include "machine.h"

#if defined(__x86_64__)
#include <cpuid.h>

extern const Machine avx512, avx2, sse2;
static const Machine *const machines[] = {&avx512, &avx2, &sse2};

/** Whether the processor has the instructions and the system saves their registers. Asked here, because not every compiler's own answer comes with it. */
static int ask(const Machine *machine) {
  unsigned a, b, c, d, saved, high;
  if (machine == &sse2) return 1;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX) || !(c & bit_FMA)) return 0;
  __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2) || (saved & 0x06) != 0x06) return 0;
  if (machine == &avx2) return 1;
  return (b & bit_AVX512F) && (b & bit_AVX512DQ) && (b & bit_AVX512VL) && (saved & 0xe6) == 0xe6;
}
#else
extern const Machine neon;
static const Machine *const machines[] = {&neon};

static int ask(const Machine *machine) {
  (void)machine;
  return 1;
}
#endif

enum { MACHINES = sizeof machines / sizeof *machines };

/** The answers, by machine. A virtual machine may take microseconds for each question, so it is asked when the addon is loaded. */
static int answers[MACHINES];

static void askAll(void) {
  for (int k = 0; k < MACHINES; k++) answers[k] = ask(machines[k]);
}
