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
  /** [WIDTH], what the sums of every row begin with; outer products add to `to` instead. */
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
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int v = 0; v < TILE_VECTORS; v++)
        sums[r][c * TILE_VECTORS + v] = load((isOuter ? to[c] + r * toStride : columns[c].start) + v * LANES);
  }
  UNROLL for (int r = 0; r < rows; r++) {
    left[r] = a + columns->first + (isOuter ? r : r * aStride);
    // Or the compiler derives the rows' addresses from each other, in additions that wait for one another.
    if (!isOuter) KEEP_ORDER(left[r]);
  }
  const float *end = right[0] + bStride * columns->terms;
  // Unrolled, it needs more registers than there are.
  _Pragma("clang loop unroll(disable)") while (right[0] != end) {
    Vector b[TILE_VECTORS * MOST_COLUMNS];
    UNROLL for (int c = 0; c < wide; c++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) b[c * TILE_VECTORS + v] = load(right[c] + v * LANES);
      right[c] += bStride;
    }
    UNROLL for (int r = 0; r < rows; r++) {
      Vector factor = splat(*left[r]);
      UNROLL for (int v = 0; v < wide * TILE_VECTORS; v++) {
        sums[r][v] = fma(factor, b[v], sums[r][v]);
        KEEP_ORDER(sums[r][v]);
      }
      left[r] += isOuter ? aStride : 1;
    }
  }
  UNROLL for (int c = 0; c < wide; c++)
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) store(to[c] + r * toStride + v * LANES, sums[r][c * TILE_VECTORS + v]);
}

/** Some columns of a few rows. One or two rows alone have too few sums to hide how long a multiply-add takes, so they take columns of the same terms at once. */
INLINE void tiles(const int isOuter, const int rows, const float *a, int aStride, int bStride, const Columns *columns, int count, int offset, int toStride) {
  const int most = rows == 1 ? 4 : rows == 2 ? 2 : 1;
  for (int c = 0; c < count; c += most) {
    int same = c + most <= count;
    UNROLL for (int k = 1; k < most; k++) same = same && columns[c + k].terms == columns[c].terms && columns[c + k].first == columns[c].first;
    if (same) tile(isOuter, rows, most, a, aStride, bStride, columns + c, offset, toStride);
    else
      for (int k = c; k < count && k < c + most; k++) tile(isOuter, rows, 1, a, aStride, bStride, columns + k, offset, toStride);
  }
}

#define CASE(n) \
  case n: \
    TILES(n); \
    break;
#if TILE_ROWS >= 6
#define CASES CASE(6) CASE(5) CASE(4) CASE(3) CASE(2) CASE(1)
#else
#define CASES CASE(4) CASE(3) CASE(2) CASE(1)
#endif

/** How many rows the first of the remaining tiles takes: tiles are as equal as can be, eight rows two tiles of four, not one of six and a slow one of two. */
INLINE int tileRows(int rows, int tiles) { return (rows + tiles - 1) / tiles; }
INLINE int tilesOf(int rows) { return (rows + TILE_ROWS - 1) / TILE_ROWS; }

/**
 * to[r] = start + Σ_k a[r][k]·b[k] for any number of rows and some columns. All columns of a few rows come before the next rows, so these stay
 * in the first-level cache, and what is written is together.
 */
static __attribute__((noinline)) void multiply(int rows, const float *a, int aRow, const Columns *columns, int count, int toRow) {
  int offset = 0;
  for (int left = tilesOf(rows); left > 0; left--) {
    int some = tileRows(rows, left);
#define TILES(n) tiles(0, n, a, aRow, WIDTH, columns, count, offset, toRow)
    switch (some) { CASES }
#undef TILES
    a += some * aRow;
    offset += some * toRow;
    rows -= some;
  }
}

/** to[r] += Σ_k a[k][r]·b[k] for up to TILE_ROWS columns of a, packed sums, and any strides of a and b. */
static __attribute__((noinline)) void addOuterProducts(int some, const float *a, int aTerm, int bTerm, const Columns *columns, int count) {
#define TILES(n) tiles(1, n, a, aTerm, bTerm, columns, count, 0, WIDTH)
  switch (some) { CASES }
#undef TILES
}
