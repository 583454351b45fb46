// All cells. A job names one by its index.
#pragma once
#include "cells/gru-before.h"
#include "cells/gru.h"
#include "cells/lstm.h"
#include "cells/rnn.h"

#define CELLS(CELL) \
  CELL(lstm, LSTM(Soft)) \
  CELL(lstm_hard, LSTM(Hard)) \
  CELL(gru, GRU(Soft)) \
  CELL(gru_hard, GRU(Hard)) \
  CELL(gru_before, GRU_BEFORE(Soft)) \
  CELL(gru_before_hard, GRU_BEFORE(Hard)) \
  CELL(rnn_tanh, RNN(Tanh)) \
  CELL(rnn_relu, RNN(Relu))

#define CELL_ENTRY(name, ...) __VA_ARGS__,
static const Cell cells[] = {CELLS(CELL_ENTRY)};
#undef CELL_ENTRY
