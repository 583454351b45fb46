// Transposes matrices, in squares of four by four: between PyTorch's layout and the packed one, units are rows in one and columns in the other.
#pragma once
#include "vector.h"

typedef float Four __attribute__((vector_size(16), aligned(4)));

/** Lanes of two vectors, counted through both. */
#if defined(__clang__) || __GNUC__ >= 12
#define LANES_OF(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LANES_OF(a, b, ...) __builtin_shuffle(a, b, (int __attribute__((vector_size(16)))){__VA_ARGS__})
#endif

INLINE void transposeSquare(const float *from, ptrdiff_t fromRow, float *to, ptrdiff_t toRow) {
  Four a = *(const Four *)from, b = *(const Four *)(from + fromRow);
  Four c = *(const Four *)(from + 2 * fromRow), d = *(const Four *)(from + 3 * fromRow);
  Four abLeft = LANES_OF(a, b, 0, 4, 1, 5), abRight = LANES_OF(a, b, 2, 6, 3, 7);
  Four cdLeft = LANES_OF(c, d, 0, 4, 1, 5), cdRight = LANES_OF(c, d, 2, 6, 3, 7);
  *(Four *)to = LANES_OF(abLeft, cdLeft, 0, 1, 4, 5);
  *(Four *)(to + toRow) = LANES_OF(abLeft, cdLeft, 2, 3, 6, 7);
  *(Four *)(to + 2 * toRow) = LANES_OF(abRight, cdRight, 0, 1, 4, 5);
  *(Four *)(to + 3 * toRow) = LANES_OF(abRight, cdRight, 2, 3, 6, 7);
}

/** to[column][row] = from[row][column]; strides in floats. */
SHARED void transpose(const float *from, ptrdiff_t fromRow, int rows, int columns, float *to, ptrdiff_t toRow) {
  for (int row = 0, height; row < rows; row += height, from += height * fromRow) {
    int column = 0;
    height = rows - row < 4 ? rows - row : 4;
    if (height == 4)
      for (; column + 4 <= columns; column += 4) transposeSquare(from + column, fromRow, to + column * toRow + row, toRow);
    for (; column < columns; column++)
      for (int r = 0; r < height; r++) to[column * toRow + row + r] = from[r * fromRow + column];
  }
}
