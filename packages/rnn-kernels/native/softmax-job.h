// What native code is told of a softmax.
#pragma once
#include <stdint.h>

/** A softmax of rows of logits, or its gradient, in so many parts. */
typedef struct {
  int rows;
  int classes;
  int parts;
  const float *logits;    /* [rows, classes] */
  float *probabilities;   /* [rows, classes] */
  double *totals;         /* [rows, 2] */
  const int32_t *targets; /* [rows] */
  const float *upstream;  /* [rows], or one for all */
  int upstreamRow;        /* 1, or 0 */
} SoftmaxJob;
