// A linear layer y = x·Wᵀ + b and its gradients, matrices as PyTorch lays them out, by the tiles of the recurrent
// layers: PANEL times WIDTH columns at once. Whole columns go to their place; fewer than WIDTH by way of scratch.
#pragma once
#include "forward.h"

/** Rows whose products are added to a weight gradient before the next columns: they stay in the first-level cache. */
#define LINEAR_ROWS 64

/** Floats of scratch: panels of terms, what their sums begin with, and a column of results or of terms for all rows. */
EXPORT int linearScratch(int rows, int inFeatures, int outFeatures) {
  return (PANEL * (max(inFeatures, outFeatures) + 1) + rows) * WIDTH;
}

/** How many times WIDTH columns are taken at once of the `left` ones: one, if that is not full. */
INLINE int panelOf(int left) { return left < WIDTH ? 1 : min(left / WIDTH, PANEL); }

/** packed[k][u] = from[k·term + u·column], zero where there are fewer than WIDTH columns. */
SHARED SMALL void packPanel(const float *from, int term, int column, int terms, int columns, float *packed) {
  for (int k = 0; k < terms; k++, from += term)
    for (int u = 0; u < WIDTH; u++) *packed++ = u < columns ? from[u * column] : 0;
}

/** Copies the first columns of rows of WIDTH. */
SHARED SMALL void copyColumns(const float *from, int rows, int columns, float *to, int toRow) {
  for (int r = 0; r < rows; r++, to += toRow, from += WIDTH)
    for (int u = 0; u < columns; u++) to[u] = from[u];
}

/** to[n][c] = start[c] + Σ_k a[n][k]·b[k·term + c·column]; without `start` the sums begin with zero. */
static void productOf(const float *a, int rows, int terms, const float *b, int term, int column, const float *start, float *to, int width, float *scratch) {
  float *starts = scratch + (ptrdiff_t)PANEL * terms * WIDTH, *sums = starts + PANEL * WIDTH;
  for (int first = 0, count; first < width; first += count * WIDTH) {
    Columns columns[PANEL];
    int known = min(width - first, WIDTH);
    count = panelOf(width - first);
    for (int k = 0, c = first; k < count; k++, c += WIDTH) {
      float *packed = scratch + (ptrdiff_t)k * terms * WIDTH;
      packPanel(b + (ptrdiff_t)c * column, term, column, terms, known, packed);
      for (int u = 0; u < WIDTH; u++) starts[k * WIDTH + u] = start && u < known ? start[c + u] : 0;
      columns[k] = (Columns){0, terms, packed, starts + k * WIDTH, known < WIDTH ? sums : to + c};
    }
    multiply(rows, a, terms, columns, count, known < WIDTH ? WIDTH : width);
    if (known < WIDTH) copyColumns(sums, rows, known, to + first, width);
  }
}

/** y[n][o] = b[o] + Σ_i x[n][i]·w[o][i]; `bias` is null without one. */
EXPORT SMALL void linear(const float *x, const float *weight, const float *bias, float *y, int rows, int inFeatures, int outFeatures, float *scratch) {
  productOf(x, rows, inFeatures, weight, 1, inFeatures, bias, y, outFeatures, scratch);
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ_n dy[n]. */
EXPORT SMALL void linearGradients(const float *dY, const float *x, const float *weight, float *dX, float *dWeight, float *dBias, int rows, int inFeatures, int outFeatures, float *scratch) {
  productOf(dY, rows, outFeatures, weight, inFeatures, 1, 0, dX, inFeatures, scratch);
  float *packed = scratch + (ptrdiff_t)PANEL * outFeatures * WIDTH;
  for (int first = 0, count; first < inFeatures; first += count * WIDTH) {
    int known = min(inFeatures - first, WIDTH), isWhole = known == WIDTH, bStride = isWhole ? inFeatures : WIDTH;
    count = panelOf(inFeatures - first);
    if (!isWhole) packPanel(x + first, inFeatures, 1, rows, known, packed);
    for (int k = 0; k < count * outFeatures * WIDTH; k++) scratch[k] = 0;
    for (int n = 0; n < rows; n += LINEAR_ROWS)
      for (int o = 0; o < outFeatures; o += TILE_ROWS) {
        Columns columns[PANEL];
        for (int k = 0; k < count; k++) {
          const float *from = isWhole ? x + first + k * WIDTH : packed;
          columns[k] = (Columns){0, min(LINEAR_ROWS, rows - n), from + (ptrdiff_t)n * bStride, 0, scratch + (k * outFeatures + o) * WIDTH};
        }
        addOuterProducts(min(outFeatures - o, TILE_ROWS), dY + (ptrdiff_t)n * outFeatures + o, outFeatures, bStride, columns, count);
      }
    for (int k = 0; k < count; k++) copyColumns(scratch + k * outFeatures * WIDTH, outFeatures, known, dWeight + first + k * WIDTH, inFeatures);
  }
  for (int n = 0; n < rows; n++)
    for (int o = 0; o < outFeatures; o++, dY++) dBias[o] = (n ? dBias[o] : 0) + *dY;
}
