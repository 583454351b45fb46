// One build of the kernels: compiled once for each instruction set, which names it.
#include "machine.h"
#include "give-way.h"
#define GIVE_WAY(thread) giveWay()
#include "../kernels/kernels.c"
#include "softmax.h"

static int gatesOf(int cell) { return cells[cell].gates; }

const Machine MACHINE = {
  .name = MACHINE_NAME,
  .planPass = planPass,
  .planWeights = planWeights,
  .pack = pack,
  .begin = begin,
  .forward = forward,
  .backward = backward,
  .collect = collect,
  .parts = COLLECT_PARTS,
  .cells = sizeof cells / sizeof *cells,
  .gates = gatesOf,
  .linearScratch = linearScratch,
  .linear = linear,
  .linearGradients = linearGradients,
  .adam = adam,
  .softmax = softmax,
  .softmaxGradient = softmaxGradient,
  .multiplyAdds = multiplyAdds,
};
