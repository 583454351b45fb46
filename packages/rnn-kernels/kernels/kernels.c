// All kernels as one translation unit.
#include "backward.h"
#include "collect.h"
#include "forward.h"
#include "linear.h"
#include "optimize.h"
#include "pack.h"
#include "peak.h"
#include "plan.h"
