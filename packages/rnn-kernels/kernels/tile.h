// The products that everything is made of, in register tiles: some rows by WIDTH columns, or a few times WIDTH.
#pragma once
#include "vector.h"

/** WIDTH columns of a product. */
typedef struct {
  /** Where the terms begin in a row of a, and how many there are. */
  int first;
  int terms;
  /** [terms, WIDTH] */
  const float *b;
  /** [WIDTH], what the sums of every row begin with; null to add to `to` instead, as outer products do. */
  const float *start;
  float *to;
} Columns;

/** The most columns that a tile takes at once, in times WIDTH. */
enum { MOST_COLUMNS = 4 };

/**
 * A tile of a product, to[r] = start + Σ_k a[r][k]·b[k], or of an outer one, to[r] += Σ_k a[k][r]·b[k]. The compiler knows which, and the numbers of
 * rows and columns; the columns have the same terms. Strides in floats: from row to row of a (which are the terms of an outer product), of b
 * (packed, unless the product is an outer one) and of `to` (packed if it is).
 */
INLINE void tile(const int isOuter, const int rows, const int wide, const float *a, int aStride, int bStride, const Columns *columns, int offset, int toStride) {
  Vector sums[TILE_ROWS][TILE_VECTORS * MOST_COLUMNS];
  const float *left[TILE_ROWS], *right[MOST_COLUMNS];
  float *to[MOST_COLUMNS];
  UNROLL for (int c = 0; c < wide; c++) {
    to[c] = columns[c].to + offset;
    right[c] = columns[c].b;
  }
  if (isOuter || !columns->start) {
    UNROLL for (int c = 0; c < wide; c++)
      UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][c * TILE_VECTORS + v] = load(to[c] + r * toStride + v * LANES);
  } else {
    UNROLL for (int c = 0; c < wide; c++)
      UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][c * TILE_VECTORS + v] = load(columns[c].start + v * LANES);
  }
  UNROLL for (int r = 0; r < rows; r++) {
    left[r] = a + columns->first + (isOuter ? 0 : r * aStride);
    // Or the compiler derives the rows' addresses from each other, in additions that wait for one another.
    if (!isOuter) KEEP_ADDRESS(left[r]);
  }
  const float *end = right[0] + bStride * columns->terms;
  // Unrolled, it needs more registers than there are.
  ROLLED while (right[0] != end) {
    // What there is less of waits in registers: the left operands of one row or of two, else the right ones.
    if (rows <= 2) {
      Vector factors[TILE_ROWS];
      UNROLL for (int r = 0; r < rows; r++) factors[r] = splat(isOuter ? left[0][r] : *left[r]);
      UNROLL for (int v = 0; v < wide * TILE_VECTORS; v++) {
        Vector b = load(right[v / TILE_VECTORS] + v % TILE_VECTORS * LANES);
        UNROLL for (int r = 0; r < rows; r++) {
          sums[r][v] = fma(factors[r], b, sums[r][v]);
          KEEP_ORDER(sums[r][v]);
        }
      }
    } else {
      Vector b[TILE_VECTORS * MOST_COLUMNS];
      UNROLL for (int v = 0; v < wide * TILE_VECTORS; v++) b[v] = load(right[v / TILE_VECTORS] + v % TILE_VECTORS * LANES);
      UNROLL for (int r = 0; r < rows; r++) {
        Vector factor = splat(isOuter ? left[0][r] : *left[r]);
        UNROLL for (int v = 0; v < wide * TILE_VECTORS; v++) {
          sums[r][v] = fma(factor, b[v], sums[r][v]);
          KEEP_ORDER(sums[r][v]);
        }
      }
    }
    UNROLL for (int c = 0; c < wide; c++) right[c] += bStride;
    UNROLL for (int r = 0; r < rows; r++) left[r] += isOuter ? 0 : 1;
    if (isOuter) left[0] += aStride;
  }
  UNROLL for (int c = 0; c < wide; c++)
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) store(to[c] + r * toStride + v * LANES, sums[r][c * TILE_VECTORS + v]);
}

/** Tiles as functions: V8 before version 13 unrolls loops that are inside of others, and runs out of registers then. */
#define TILE(kind, isOuter, rows, wide) \
  SHARED MAYBE_UNUSED void kind##rows##x##wide(const float *a, int aStride, int bStride, const Columns *columns, int offset, int toStride) { \
    tile(isOuter, rows, wide, a, aStride, bStride, columns, offset, toStride); \
  }
#define TILES_OF(kind, isOuter, rows) TILE(kind, isOuter, rows, 1) TILE(kind, isOuter, rows, 2) TILE(kind, isOuter, rows, 4)
#define TILES(kind, isOuter) \
  TILES_OF(kind, isOuter, 1) TILES_OF(kind, isOuter, 2) TILES_OF(kind, isOuter, 3) \
  TILES_OF(kind, isOuter, 4) TILES_OF(kind, isOuter, 5) TILES_OF(kind, isOuter, 6)
TILES(product, 0)
TILES(outer, 1)

/** Whether some columns have the same terms, and can be in one tile. */
INLINE int areAlike(const Columns *columns, const Columns *end, const int wide) {
  int same = end - columns >= wide;
  UNROLL for (int k = 1; k < wide; k++) same = same && columns[k].terms == columns->terms && columns[k].first == columns->first;
  return same;
}

/**
 * Some rows by all columns, as many at once as there are registers for: a few rows alone have too few sums to hide how long a multiply-add
 * takes, and more columns read the left operands less often.
 */
#define SUMS_OF(kind, rows) \
  case rows: \
    while (columns < end) { \
      if (TILE_COLUMNS(rows) >= 4 && areAlike(columns, end, 4)) { \
        kind##rows##x4(a, aStride, bStride, columns, offset, toStride); \
        columns += 4; \
      } else if (TILE_COLUMNS(rows) >= 2 && areAlike(columns, end, 2)) { \
        kind##rows##x2(a, aStride, bStride, columns, offset, toStride); \
        columns += 2; \
      } else { \
        kind##rows##x1(a, aStride, bStride, columns, offset, toStride); \
        columns += 1; \
      } \
    } \
    break;
#define SOME_ROWS(kind) \
  switch (some) { \
    SUMS_OF(kind, 6) SUMS_OF(kind, 5) SUMS_OF(kind, 4) SUMS_OF(kind, 3) SUMS_OF(kind, 2) SUMS_OF(kind, 1) \
  }

/** How many rows the first of the remaining tiles takes: tiles are as equal as can be, eight rows two tiles of four, not one of six and a slow one of two. */
INLINE int tileRows(int rows, int tiles) { return (rows + tiles - 1) / tiles; }
INLINE int tilesOf(int rows) { return (rows + TILE_ROWS - 1) / TILE_ROWS; }

/** to[r] = start + Σ_k a[r][k]·b[k] for up to TILE_ROWS rows and some columns. */
static void multiplySome(int some, const float *a, int aStride, const Columns *columns, int count, int offset, int toStride) {
  const Columns *end = columns + count;
  enum { bStride = WIDTH };
  SOME_ROWS(product)
}

/** The same for any number of rows. All columns of a few rows come before the next rows, so these stay in the first-level cache, and what is written is together. */
static void multiply(int rows, const float *a, int aRow, const Columns *columns, int count, int toRow) {
  int offset = 0;
  for (int left = tilesOf(rows); left > 0; left--) {
    int some = tileRows(rows, left);
    multiplySome(some, a, aRow, columns, count, offset, toRow);
    a += some * aRow;
    offset += some * toRow;
    rows -= some;
  }
}

/** to[r] += Σ_k a[k][r]·b[k] for up to TILE_ROWS columns of a, packed sums, and any strides of a and b. */
static void addOuterProducts(int some, const float *a, int aStride, int bStride, const Columns *columns, int count) {
  const Columns *end = columns + count;
  enum { offset = 0, toStride = WIDTH };
  SOME_ROWS(outer)
}
