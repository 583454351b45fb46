// What the kernels are told, and where everything is: one word a field on WebAssembly. The build reads these lists and writes them for
// TypeScript too, so each field stands here alone.
//
// N rows (samples), T steps, I features, H hidden units; Hp is H rounded up to whole tiles, G the gates of the cell in PyTorch's
// parameters. Arrays that are not wanted, or not there, are null.
#pragma once
#include <stdint.h>

#define JOB_FIELDS(NUMBER, POINTER) \
  NUMBER(cell)        /* index of the cell in cells.h */ \
  NUMBER(batch)       /* N */ \
  NUMBER(time)        /* T */ \
  NUMBER(inputSize)   /* I; 0 where a table has the inputs' part of the sums */ \
  NUMBER(hiddenSize)  /* H */ \
  NUMBER(reverse)     /* 1 to read each row from its end */ \
  NUMBER(save)        /* 1 to keep what the backward pass needs */ \
  NUMBER(slices)      /* parts of the batch; with `save` they follow from the shape alone */ \
  NUMBER(shares)      /* parts of the hidden units, if threads share the steps of a few rows (few.h); else 0 */ \
  NUMBER(threads)     /* threads that may work on it, each with its own scratch */ \
  NUMBER(hasLengths)  /* 1 when rows have lengths */ \
  NUMBER(hasInitial)  /* 1 when there is an initial state */ \
  NUMBER(hasBias)     /* 1 when there are biases */ \
  NUMBER(wantsOutput) /* 1 to write the hidden states of all steps */ \
  NUMBER(borrows)     /* 1 when inputs, weights and dOutput are read where they are, instead of copied into the job's memory */ \
  NUMBER(vocabulary)  /* V, rows of that table; 0 where there is none */ \
  NUMBER(gradients)   /* which upstream gradients there are and which others are wanted: D_OUTPUT and so on */ \
  POINTER(order, int32_t)   /* [N] the rows, longest first */ \
  POINTER(lengths, int32_t) /* [N] their lengths in that order */ \
  POINTER(starts, int32_t)  /* [N + 1] sums of these lengths */ \
  POINTER(x, float)         /* [N, T, I] */ \
  POINTER(tokens, int32_t)  /* [N, T] which row of the table a step reads */ \
  POINTER(table, float)     /* [V, G·H] x·W_ihᵀ of every x that there is */ \
  POINTER(hInitial, float)  /* [N, H] */ \
  POINTER(cInitial, float)  /* [N, H] */ \
  POINTER(output, float)    /* [N, T, H] */ \
  POINTER(hFinal, float)    /* [N, H] */ \
  POINTER(cFinal, float)    /* [N, H] */ \
  POINTER(phases, int32_t)  /* [shares, PHASE_WORDS] how many phases are claimed, and how many are done */ \
  POINTER(rows, float)      /* rows [x_t | h_{t-1}], of a block step after step */ \
  POINTER(kept, float)      /* what a cell keeps, by block [groups of WIDTH units, steps, rows] */ \
  POINTER(cells, float)     /* [N, Hp] cell states before the first step */ \
  POINTER(resets, float)    /* rows r·h of a reset-before GRU, step after step */ \
  POINTER(rooms, float)     /* scratch of each thread */ \
  POINTER(dOutput, float)   /* gradients with respect to output, hFinal and cFinal */ \
  POINTER(dHFinal, float) \
  POINTER(dCFinal, float) \
  POINTER(dX, float)        /* and the ones that are computed */ \
  POINTER(dTable, float)    /* [V, G·H] */ \
  POINTER(dHInitial, float) \
  POINTER(dCInitial, float) \
  POINTER(dWeightIh, float) /* [G·H, I] */ \
  POINTER(dWeightHh, float) /* [G·H, H] */ \
  POINTER(dBiasIh, float)   /* [G·H] */ \
  POINTER(dBiasHh, float)   /* [G·H] */ \
  POINTER(partials, float)  /* gradients of each slice: of the weights, laid out as `forward` and `bias`, and of the table */ \
  POINTER(weightIh, float)  /* weights as PyTorch lays them out */ \
  POINTER(weightHh, float) \
  POINTER(biasIh, float) \
  POINTER(biasHh, float) \
  POINTER(forward, float)   /* weights packed for the forward pass */ \
  POINTER(bias, float)      /* what its sums begin with */ \
  POINTER(transposedHh, float) /* weights packed for products with gate gradients */ \
  POINTER(transposedIh, float)

/** Bits of `gradients`. */
enum { D_OUTPUT = 1, D_H_FINAL = 2, D_C_FINAL = 4, D_X = 8, D_INITIAL = 16 };

#define NUMBER_FIELD(name) int32_t name;
#define POINTER_FIELD(name, type) type *name;
typedef struct {
  JOB_FIELDS(NUMBER_FIELD, POINTER_FIELD)
} Job;
#undef NUMBER_FIELD
#undef POINTER_FIELD
