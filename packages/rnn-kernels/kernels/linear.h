// A linear layer y = x·Wᵀ + b and its gradients, matrices as PyTorch lays them out. WIDTH columns at a time are packed into scratch, so the
// tiles of the recurrent layers compute them, whatever the sizes.
#pragma once
#include "forward.h"

/** Scratch for a panel of `terms` rows, what its sums begin with, and `rows` rows of results; in floats. */
EXPORT int linearScratch(int rows, int inFeatures, int outFeatures) {
  int terms = rows;
  if (inFeatures > terms) terms = inFeatures;
  if (outFeatures > terms) terms = outFeatures;
  return (2 * terms + 1) * WIDTH;
}

/** panel[k][u] = from[k·term + u·column], zero where there are fewer than WIDTH columns. */
SHARED SMALL void packPanel(const float *from, int term, int column, int terms, int columns, float *panel) {
  for (int k = 0; k < terms; k++, from += term)
    for (int u = 0; u < WIDTH; u++) *panel++ = u < columns ? from[u * column] : 0;
}

/** Copies the first columns of rows of WIDTH. */
SHARED SMALL void copyColumns(const float *from, int rows, int columns, float *to, int toRow) {
  for (int r = 0; r < rows; r++, to += toRow, from += WIDTH)
    for (int u = 0; u < columns; u++) to[u] = from[u];
}

/** y[n][o] = b[o] + Σ_i x[n][i]·w[o][i]; `bias` is null without one. */
EXPORT SMALL void linear(const float *x, const float *weight, const float *bias, float *y, int rows, int inFeatures, int outFeatures, float *scratch) {
  for (int first = 0; first < outFeatures; first += WIDTH) {
    int columns = outFeatures - first < WIDTH ? outFeatures - first : WIDTH;
    packPanel(weight + (ptrdiff_t)first * inFeatures, 1, inFeatures, inFeatures, columns, scratch);
    float *start = scratch + inFeatures * WIDTH, *sums = start + WIDTH;
    for (int u = 0; u < WIDTH; u++) start[u] = bias && u < columns ? bias[first + u] : 0;
    multiply(rows, x, inFeatures, &(Columns){0, inFeatures, scratch, start, sums}, 1, WIDTH);
    copyColumns(sums, rows, columns, y + first, outFeatures);
  }
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ_n dy[n]. */
EXPORT SMALL void linearGradients(const float *dY, const float *x, const float *weight, float *dX, float *dWeight, float *dBias, int rows, int inFeatures, int outFeatures, float *scratch) {
  for (int first = 0; first < inFeatures; first += WIDTH) {
    int columns = inFeatures - first < WIDTH ? inFeatures - first : WIDTH;
    float *sums = scratch + outFeatures * WIDTH;
    packPanel(weight + first, inFeatures, 1, outFeatures, columns, scratch);
    multiply(rows, dY, outFeatures, &(Columns){0, outFeatures, scratch, zeros, sums}, 1, WIDTH);
    copyColumns(sums, rows, columns, dX + first, inFeatures);
    sums = scratch + rows * WIDTH;
    packPanel(x + first, inFeatures, 1, rows, columns, scratch);
    for (int k = 0; k < outFeatures * WIDTH; k++) sums[k] = 0;
    for (int o = 0; o < outFeatures; o += TILE_ROWS) {
      int some = outFeatures - o < TILE_ROWS ? outFeatures - o : TILE_ROWS;
      addOuterProducts(some, dY + o, outFeatures, WIDTH, &(Columns){0, rows, scratch, 0, sums + o * WIDTH}, 1);
    }
    copyColumns(sums, outFeatures, columns, dWeight + first, inFeatures);
  }
  for (int o = 0; o < outFeatures; o++) {
    float sum = 0;
    for (int n = 0; n < rows; n++) sum += dY[(ptrdiff_t)n * outFeatures + o];
    dBias[o] = sum;
  }
}
