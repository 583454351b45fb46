// A linear layer y = x·Wᵀ + b and its gradients, matrices as PyTorch lays them out, by the tiles of the recurrent layers. Products are made in blocks
// that stay in the second-level cache, and in parts that threads share. A sum has its terms in order, whatever the blocks and the parts.
#pragma once
#include "forward.h"
#include "linear-job.h"
#include "transpose.h"

enum {
  DEPTH = 256,         /* terms of a block of a product, */
  BREADTH = 256,       /* its columns, */
  BLOCK_ROWS = 64,     /* and the rows that pass by it at once; of x and dY that a weight gradient is summed over before others */
  OUTS = 8 * TILE_ROWS, /* rows of a weight gradient that are summed at once, */
  SPAN = 1024           /* and columns of it */
};

/** Floats of scratch for a thread: a packed block, what is left of columns that fill no vector, and what a weight gradient needs. */
EXPORT int linearScratch(int rows, int inFeatures, int outFeatures) {
  int most = ceilTo(max(inFeatures, outFeatures), WIDTH), gradient = OUTS * min(ceilTo(inFeatures, WIDTH), SPAN) + BLOCK_ROWS * (OUTS + WIDTH);
  return max(min(most, DEPTH) * min(most, BREADTH) + (rows + 1) * WIDTH, gradient);
}

/** The first of `count` things that a part of `parts` takes, in whole `unit`s. */
INLINE int partBeginning(int count, int unit, int part, int parts) {
  return min(count, (int)((int64_t)((count + unit - 1) / unit) * part / parts) * unit);
}

/** How many times WIDTH columns are taken at once of the `left` ones: one, if that is not full. */
INLINE int panelOf(int left) { return left < WIDTH ? 1 : min(left / WIDTH, PANEL); }

/** packed[k][u] = from[k·term + u·column] for up to WIDTH columns, zero where there are fewer; either stride is 1. */
static void packColumns(const float *from, int term, int column, int terms, int columns, float *packed) {
  if (columns < WIDTH) zeroFloats(packed, terms * WIDTH);
  if (term == 1) transpose(from, column, columns, terms, packed, WIDTH);
  else
    for (int k = 0; k < terms; k++) copyFloats(from + (ptrdiff_t)k * term, packed + k * WIDTH, columns);
}

/** Copies the first columns of rows of WIDTH. */
static void copyColumns(const float *from, int rows, int columns, float *to, int toRow) {
  for (int r = 0; r < rows; r++) copyFloats(from + (ptrdiff_t)r * WIDTH, to + (ptrdiff_t)r * toRow, columns);
}

/** to[n][c] = start[c] + Σ_k a[n][k]·b[k·term + c·column]; without `start` the sums begin with zero. */
typedef struct {
  const float *a;
  int terms;
  const float *b;
  int term;
  int column;
  const float *start;
  float *to;
  int width;
} Product;

/** The columns from `first` to before `end`, at most BREADTH, of the rows from `begin` on. */
SHARED SMALL void multiplyColumns(const Product *p, int begin, int rows, int first, int end, float *packed) {
  float *start = packed + ceilTo(end - first, WIDTH) * min(p->terms, DEPTH), *left = start + WIDTH;
  for (int k = 0; k < p->terms; k += DEPTH) {
    int depth = min(DEPTH, p->terms - k);
    for (int c = first; c < end; c += WIDTH) {
      packColumns(p->b + (ptrdiff_t)k * p->term + (ptrdiff_t)c * p->column, p->term, p->column, depth, min(WIDTH, end - c), packed + (c - first) * depth);
    }
    for (int n = 0; n < rows; n += BLOCK_ROWS)
      for (int c = first, count; c < end; c += count * WIDTH) {
        Columns columns[PANEL];
        int known = min(WIDTH, end - c), isWhole = known == WIDTH;
        const float *begins = p->start ? p->start + c : zeros;
        count = panelOf(end - c);
        if (!isWhole && p->start) {
          for (int u = 0; u < WIDTH; u++) start[u] = u < known ? begins[u] : 0;
          begins = start;
        }
        for (int i = 0; i < count; i++) {
          float *to = isWhole ? p->to + (ptrdiff_t)(begin + n) * p->width + c + i * WIDTH : left + (ptrdiff_t)n * WIDTH;
          // After the first terms, the sums go on from what is there.
          columns[i] = (Columns){0, depth, packed + (c - first + i * WIDTH) * depth, k > 0 ? 0 : p->start ? begins + i * WIDTH : zeros, to};
        }
        multiply(min(BLOCK_ROWS, rows - n), p->a + (ptrdiff_t)(begin + n) * p->terms + k, p->terms, columns, count, isWhole ? p->width : WIDTH);
      }
  }
  int known = (end - first) % WIDTH;
  if (known) copyColumns(left, rows, known, p->to + (ptrdiff_t)begin * p->width + end - known, p->width);
}

/** A part of a product: some of the columns where there are many, else some of the rows. */
static void multiplyPart(const Product *p, int rows, int part, int parts, float *scratch) {
  int byColumns = p->width >= 2 * parts * PANEL * WIDTH;
  int row = byColumns ? 0 : partBeginning(rows, TILE_ROWS, part, parts), rowsEnd = byColumns ? rows : partBeginning(rows, TILE_ROWS, part + 1, parts);
  int first = byColumns ? partBeginning(p->width, PANEL * WIDTH, part, parts) : 0;
  int end = byColumns ? partBeginning(p->width, PANEL * WIDTH, part + 1, parts) : p->width;
  for (; first < end && row < rowsEnd; first += BREADTH) multiplyColumns(p, row, rowsEnd - row, first, min(end, first + BREADTH), scratch);
}

/** dW of `outs` outputs from `begin` on and the columns from `first` to before `last`; db with the first of them. */
SHARED SMALL void gradientBlock(const LinearJob *j, int begin, int outs, int first, int last, float *sums) {
  int inFeatures = j->inFeatures, width = ceilTo(last - first, WIDTH);
  float *dYs = sums + OUTS * width, *partial = dYs + BLOCK_ROWS * OUTS, *dBias = j->dBias + begin;
  zeroFloats(sums, OUTS * width);
  if (first == 0) zeroFloats(dBias, outs);
  for (int n = 0; n < j->rows; n += BLOCK_ROWS) {
    int some = min(BLOCK_ROWS, j->rows - n);
    const float *x = j->x + (ptrdiff_t)n * inFeatures + first, *dY = j->dY + (ptrdiff_t)n * j->outFeatures + begin;
    for (int r = 0; r < some; r++, dY += j->outFeatures) {
      copyFloats(dY, dYs + r * OUTS, outs);
      for (int o = 0; o < outs && first == 0; o++) dBias[o] += dYs[r * OUTS + o];
    }
    for (int c = 0, count; c < last - first; c += count * WIDTH) {
      int left = last - first - c, isWhole = left >= WIDTH;
      count = panelOf(left);
      if (!isWhole) packColumns(x + c, inFeatures, 1, some, left, partial);
      for (int tiles = tilesOf(outs), o = 0, few; tiles > 0; tiles--, o += few) {
        Columns columns[PANEL];
        few = tileRows(outs - o, tiles);
        for (int i = 0; i < count; i++) columns[i] = (Columns){0, some, isWhole ? x + c + i * WIDTH : partial, 0, sums + (c + i * WIDTH) * OUTS + o * WIDTH};
        addOuterProducts(few, dYs + o, OUTS, isWhole ? inFeatures : WIDTH, columns, count);
      }
    }
  }
  for (int c = 0; c < last - first; c += WIDTH)
    copyColumns(sums + c * OUTS, outs, min(WIDTH, last - first - c), j->dWeight + (ptrdiff_t)begin * inFeatures + first + c, inFeatures);
}

/** dW and db of the outputs from `begin` to before `end`, in equal blocks. */
SHARED SMALL void weightGradients(const LinearJob *j, int begin, int end, float *sums) {
  for (int blocks = (end - begin + OUTS - 1) / OUTS, outs; blocks > 0; blocks--, begin += outs) {
    outs = (end - begin + blocks - 1) / blocks;
    for (int first = 0; first < j->inFeatures; first += SPAN) gradientBlock(j, begin, outs, first, min(j->inFeatures, first + SPAN), sums);
  }
}

INLINE float *scratchOf(const LinearJob *j, int thread) {
  return j->scratch + (ptrdiff_t)thread * linearScratch(j->rows, j->inFeatures, j->outFeatures);
}

/** A part of y[n][o] = b[o] + Σ_i x[n][i]·w[o][i]. */
EXPORT SMALL void linear(const void *job, int part, int thread) {
  const LinearJob *j = job;
  const Product y = {j->x, j->inFeatures, j->weight, 1, j->inFeatures, j->bias, j->y, j->outFeatures};
  multiplyPart(&y, j->rows, part, j->parts, scratchOf(j, thread));
}

/** A part of the gradients: of dx = dy·W, or, from `parts` on, of dW = dyᵀ·x and db = Σ_n dy[n]. */
EXPORT SMALL void linearGradients(const void *job, int part, int thread) {
  const LinearJob *j = job;
  int outFeatures = j->outFeatures, ofWeights = part - j->parts;
  const Product dX = {j->dY, outFeatures, j->weight, j->inFeatures, 1, 0, j->dX, j->inFeatures};
  if (ofWeights < 0) multiplyPart(&dX, j->rows, part, j->parts, scratchOf(j, thread));
  else weightGradients(j, partBeginning(outFeatures, 1, ofWeights, j->parts), partBeginning(outFeatures, 1, ofWeights + 1, j->parts), scratchOf(j, thread));
}
