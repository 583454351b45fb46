// What the kernels are told of a linear layer: one word a field on WebAssembly.
#pragma once
#include <stdint.h>

/** The work of a layer. Fields as in src/runtimes/wasm/linear.ts. */
typedef struct {
  int32_t rows;
  int32_t inFeatures;
  int32_t outFeatures;
  /** How many parts it is split into, of about the same work. */
  int32_t parts;
  const float *x;      /* [rows, inFeatures] */
  const float *weight; /* [outFeatures, inFeatures] */
  const float *bias;   /* [outFeatures], or null */
  float *y;            /* [rows, outFeatures] */
  const float *dY;
  float *dX;
  float *dWeight;
  float *dBias;
  /** linearScratch floats for each thread. */
  float *scratch;
} LinearJob;
