// The kernels as a Node-API addon: plain functions of numbers and typed arrays. src/runtimes/native/addon.ts describes them.
#include "arguments.h"
#include "descriptor.h"
#include "machines.h"

enum { LINE_BYTES = 64, MOST_POOLS = 64 };

/** What belongs to one environment of the host: a thread of JavaScript. */
typedef struct {
  Pool *pools[MOST_POOLS];
} Environment;

static int readMachine(const Arguments *from, const Machine **to) {
  int index;
  if (!readInteger(from, 0, 0, MACHINES - 1, &index)) return 0;
  *to = machines[index];
  return answers[index] || refuse(from->env, "this processor does not run these kernels");
}

/** The job of the numbers in argument 1. */
static int readNumbers(const Arguments *from, const Machine *machine, Job *job) {
  void *numbers;
  size_t count;
  if (!readArray(from, 1, napi_int32_array, 0, &numbers, &count)) return 0;
  const char *wrong = readJob(machine, numbers, count, job);
  return !wrong || refuse(from->env, wrong);
}

static char *aligned(void *at) { return (char *)(((uintptr_t)at + LINE_BYTES - 1) & ~(uintptr_t)(LINE_BYTES - 1)); }

/** Places the arrays of a pass, or of weights, in a block, which must be large enough. */
static int place(const Arguments *from, int index, double (*plan)(Job *, char *), Job *job) {
  float *block;
  int64_t bytes = (int64_t)plan(job, 0) + LINE_BYTES;
  if (!readFloats(from, index, bytes / 4, &block)) return 0;
  plan(job, aligned(block));
  return 1;
}

/** layout(machine, numbers, isWeights, block?, offsets?): bytes that a block needs; with one, where each array begins in it, or −1. */
static napi_value layout(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  Job job;
  int isWeights;
  if (!readArguments(env, info, 3, &from) || !readMachine(&from, &machine) || !readNumbers(&from, machine, &job)) return 0;
  if (!readInteger(&from, 2, 0, 1, &isWeights)) return 0;
  double (*plan)(Job *, char *) = isWeights ? machine->planWeights : machine->planPass;
  double bytes = plan(&job, 0) + LINE_BYTES;
  if (from.count >= 5 && isGiven(&from, 3)) {
    float *block;
    double *offsets;
    if (!place(&from, 3, plan, &job) || !readFloats(&from, 3, 0, &block)) return 0;
    if (!readArray(&from, 4, napi_float64_array, ARRAYS, (void **)&offsets, 0)) return 0;
#define OFFSET(name, type) *offsets++ = job.name ? (double)((char *)job.name - (char *)block) : -1;
    JOB_FIELDS(NO_FIELD, OFFSET)
#undef OFFSET
  }
  return numberOf(env, bytes);
}

/** pack(machine, numbers, block, weightIh, weightHh, biasIh?, biasHh?) */
static napi_value pack(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  Job job;
  if (!readArguments(env, info, 7, &from) || !readMachine(&from, &machine) || !readNumbers(&from, machine, &job)) return 0;
  if (!place(&from, 2, machine->planWeights, &job)) return 0;
  int64_t rows = (int64_t)machine->gates(job.cell) * job.hiddenSize;
  if (!readFloats(&from, 3, rows * job.inputSize, &job.weightIh) || !readFloats(&from, 4, rows * job.hiddenSize, &job.weightHh)) return 0;
  if (!readOptionalFloats(&from, 5, rows, &job.biasIh) || !readOptionalFloats(&from, 6, rows, &job.biasHh)) return 0;
  job.hasBias = job.biasIh && job.biasHh;
  machine->pack(&job);
  return 0;
}

/** A pass: its numbers in argument 1, its block in 2, that of its weights in 3. */
static int readPass(const Arguments *from, const Machine *machine, Job *job) {
  if (!readNumbers(from, machine, job)) return 0;
  if (!place(from, 3, machine->planWeights, job) || !place(from, 2, machine->planPass, job)) return 0;
  if (job->hasLengths && !isOrdered(job)) return refuse(from->env, "the lengths are not in order");
  return isInTable(job) || refuse(from->env, "a token has no row in the table");
}

static Environment *environmentOf(napi_env env) {
  void *environment = 0;
  napi_get_instance_data(env, &environment);
  return environment;
}

/** The pool of a number; null, which is this thread alone, for −1 and one that was stopped. Each thread has its own scratch, of which there is so much. */
static int readPool(const Arguments *from, int index, int threads, Pool **pool) {
  int number;
  if (!readInteger(from, index, -1, MOST_POOLS - 1, &number)) return 0;
  *pool = number < 0 ? 0 : environmentOf(from->env)->pools[number];
  return !*pool || (*pool)->workers < threads || refuse(from->env, "the pool has more threads than the job");
}

/** How many parts to make of work: one for each thread. */
static int partsOf(const Pool *pool) { return pool ? 1 + pool->workers : 1; }

/** forward(machine, numbers, pass, weights, x, pool) */
static napi_value forward(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  Job job;
  Pool *pool;
  if (!readArguments(env, info, 6, &from) || !readMachine(&from, &machine) || !readPass(&from, machine, &job)) return 0;
  if (!readFloats(&from, 4, (int64_t)job.batch * job.time * job.inputSize, &job.x) || !readPool(&from, 5, job.threads, &pool)) return 0;
  machine->begin(&job);
  runSlices(pool, machine->forward, &job, job.shares ? job.shares : job.slices);
  return 0;
}

/** backward(machine, numbers, pass, weights, pool, collectPool, dOutput?): the pools of the pass and of the sums of its weight gradients */
static napi_value backward(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  Job job;
  Pool *pool, *collectPool;
  if (!readArguments(env, info, 7, &from) || !readMachine(&from, &machine) || !readPass(&from, machine, &job)) return 0;
  if (!readPool(&from, 4, job.threads, &pool) || !readPool(&from, 5, job.threads, &collectPool)) return 0;
  if (!job.save) return refuse(env, "the pass kept nothing"), (napi_value)0;
  if (!readOptionalFloats(&from, 6, (int64_t)job.batch * job.time * job.hiddenSize, &job.dOutput)) return 0;
  runSlices(pool, machine->backward, &job, job.slices);
  runSlices(collectPool, machine->collect, &job, machine->parts);
  return 0;
}

/** A linear layer's sizes in arguments 1 to 3. */
static int readLinear(const Arguments *from, LinearJob *job) {
  *job = (LinearJob){.parts = 1};
  if (!readInteger(from, 1, 0, MOST_SIZE, &job->rows) || !readInteger(from, 2, 1, MOST_SIZE, &job->inFeatures)) return 0;
  return readInteger(from, 3, 1, MOST_SIZE, &job->outFeatures);
}

/** Its scratch and its pool, the last arguments: a part for each thread. */
static int readThreads(const Arguments *from, const Machine *machine, int index, LinearJob *job, Pool **pool) {
  if (!readPool(from, index + 1, MOST_THREADS, pool)) return 0;
  job->parts = partsOf(*pool);
  int64_t floats = machine->linearScratch(job->rows, job->inFeatures, job->outFeatures);
  return readFloats(from, index, job->parts * floats, &job->scratch);
}

/** linear(machine, rows, inFeatures, outFeatures, x, weight, bias?, y, scratch, pool); without arrays it returns the floats of scratch that a thread needs */
static napi_value linear(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  LinearJob job;
  Pool *pool;
  if (!readArguments(env, info, 4, &from) || !readMachine(&from, &machine) || !readLinear(&from, &job)) return 0;
  if (from.count < 10) return numberOf(env, machine->linearScratch(job.rows, job.inFeatures, job.outFeatures));
  int64_t in = (int64_t)job.rows * job.inFeatures, weights = (int64_t)job.outFeatures * job.inFeatures;
  float *x, *weight, *bias;
  if (!readFloats(&from, 4, in, &x) || !readFloats(&from, 5, weights, &weight) || !readOptionalFloats(&from, 6, job.outFeatures, &bias)) return 0;
  if (!readFloats(&from, 7, (int64_t)job.rows * job.outFeatures, &job.y) || !readThreads(&from, machine, 8, &job, &pool)) return 0;
  job.x = x, job.weight = weight, job.bias = bias;
  runSlices(pool, machine->linear, &job, job.parts);
  return 0;
}

/** linearGradients(machine, rows, inFeatures, outFeatures, dY, x, weight, dX, dWeight, dBias, scratch, pool) */
static napi_value linearGradients(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  LinearJob job;
  Pool *pool;
  if (!readArguments(env, info, 12, &from) || !readMachine(&from, &machine) || !readLinear(&from, &job)) return 0;
  int64_t in = (int64_t)job.rows * job.inFeatures, out = (int64_t)job.rows * job.outFeatures, weights = (int64_t)job.outFeatures * job.inFeatures;
  float *dY, *x, *weight;
  if (!readFloats(&from, 4, out, &dY) || !readFloats(&from, 5, in, &x) || !readFloats(&from, 6, weights, &weight)) return 0;
  if (!readFloats(&from, 7, in, &job.dX) || !readFloats(&from, 8, weights, &job.dWeight) || !readFloats(&from, 9, job.outFeatures, &job.dBias)) return 0;
  if (!readThreads(&from, machine, 10, &job, &pool)) return 0;
  job.dY = dY, job.x = x, job.weight = weight;
  runSlices(pool, machine->linearGradients, &job, 2 * job.parts);
  return 0;
}

/** Numbers of an Adam step: the coefficients in the order of adam in kernels/optimize.h. */
typedef struct {
  const Machine *machine;
  float *theta, *gradient, *m, *v, *next;
  const float *coefficients;
  int64_t count;
  int parts;
} AdamJob;

static void adamPart(const void *job, int part, int thread) {
  (void)thread;
  const AdamJob *j = job;
  const float *c = j->coefficients;
  int64_t begin = j->count * part / j->parts, end = j->count * (part + 1) / j->parts;
  j->machine->adam(j->theta + begin, j->gradient + begin, j->m + begin, j->v + begin, j->next + begin, (int)(end - begin), c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
}

/** adam(machine, theta, gradient, m, v, next, coefficients, pool): eight coefficients */
static napi_value adam(napi_env env, napi_callback_info info) {
  Arguments from;
  AdamJob job;
  Pool *pool;
  float *coefficients;
  size_t count;
  if (!readArguments(env, info, 8, &from) || !readMachine(&from, &job.machine) || !readPool(&from, 7, MOST_THREADS, &pool)) return 0;
  if (!readArray(&from, 1, napi_float32_array, 0, (void **)&job.theta, &count)) return 0;
  if (count > INT32_MAX) return refuse(env, "an array is too long"), (napi_value)0;
  job.count = (int64_t)count, job.parts = partsOf(pool);
  if (!readFloats(&from, 2, job.count, &job.gradient) || !readFloats(&from, 3, job.count, &job.m) || !readFloats(&from, 4, job.count, &job.v)) return 0;
  if (!readFloats(&from, 5, job.count, &job.next) || !readFloats(&from, 6, 8, &coefficients)) return 0;
  job.coefficients = coefficients;
  runSlices(pool, adamPart, &job, job.parts);
  return 0;
}

/** A softmax: rows and classes in arguments 1 and 2, probabilities in 3, the pool in `last`. */
static int readSoftmax(const Arguments *from, int last, SoftmaxJob *job, Pool **pool) {
  *job = (SoftmaxJob){0};
  if (!readInteger(from, 1, 0, MOST_SIZE, &job->rows) || !readInteger(from, 2, 1, MOST_SIZE, &job->classes)) return 0;
  if (!readFloats(from, 3, (int64_t)job->rows * job->classes, &job->probabilities) || !readPool(from, last, MOST_THREADS, pool)) return 0;
  job->parts = partsOf(*pool);
  return 1;
}

/** softmax(machine, rows, classes, probabilities, logits, totals, pool): totals has two float64 a row */
static napi_value softmax(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  SoftmaxJob job;
  Pool *pool;
  float *logits;
  if (!readArguments(env, info, 7, &from) || !readMachine(&from, &machine) || !readSoftmax(&from, 6, &job, &pool)) return 0;
  if (!readFloats(&from, 4, (int64_t)job.rows * job.classes, &logits)) return 0;
  if (!readArray(&from, 5, napi_float64_array, 2 * (int64_t)job.rows, (void **)&job.totals, 0)) return 0;
  job.logits = logits;
  runSlices(pool, machine->softmax, &job, job.parts);
  return 0;
}

/** softmaxGradient(machine, rows, classes, probabilities, targets, upstream, pool): probabilities become the gradient; upstream has one number, or one a row */
static napi_value softmaxGradient(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  SoftmaxJob job;
  Pool *pool;
  int32_t *targets;
  float *upstream;
  size_t count;
  if (!readArguments(env, info, 7, &from) || !readMachine(&from, &machine) || !readSoftmax(&from, 6, &job, &pool)) return 0;
  if (!readArray(&from, 4, napi_int32_array, job.rows, (void **)&targets, 0)) return 0;
  if (!readArray(&from, 5, napi_float32_array, 1, (void **)&upstream, &count)) return 0;
  if (count != 1 && count < (size_t)job.rows) return refuse(env, "an array is too short"), (napi_value)0;
  for (int row = 0; row < job.rows; row++)
    if (!isBetween(targets[row], 0, job.classes - 1)) return refuse(env, "a target is no class"), (napi_value)0;
  job.targets = targets, job.upstream = upstream, job.upstreamRow = count > 1;
  runSlices(pool, machine->softmaxGradient, &job, job.parts);
  return 0;
}

/** multiplyAdds(machine, rounds): the floating-point operations that it did */
static napi_value multiplyAdds(napi_env env, napi_callback_info info) {
  Arguments from;
  const Machine *machine;
  int rounds;
  if (!readArguments(env, info, 2, &from) || !readMachine(&from, &machine) || !readInteger(&from, 1, 0, MOST_SIZE, &rounds)) return 0;
  return numberOf(env, machine->multiplyAdds(rounds));
}

/** startThreads(count): the number of a pool of so many beside the caller; −1 when there is no room for one. */
static napi_value startThreads(napi_env env, napi_callback_info info) {
  Arguments from;
  int workers;
  if (!readArguments(env, info, 1, &from) || !readInteger(&from, 0, 0, MOST_THREADS - 1, &workers)) return 0;
  Pool **pools = environmentOf(env)->pools;
  for (int k = 0; k < MOST_POOLS; k++)
    if (!pools[k]) return pools[k] = startPool(workers), numberOf(env, pools[k] ? k : -1);
  return numberOf(env, -1);
}

/** The number of a pool as the only argument. */
static int readPoolNumber(napi_env env, napi_callback_info info, int *number) {
  Arguments from;
  return readArguments(env, info, 1, &from) && readInteger(&from, 0, 0, MOST_POOLS - 1, number);
}

/** threads(pool): how many run beside the caller */
static napi_value threads(napi_env env, napi_callback_info info) {
  int number;
  if (!readPoolNumber(env, info, &number)) return 0;
  const Pool *pool = environmentOf(env)->pools[number];
  return numberOf(env, pool ? pool->workers : 0);
}

/** failure(pool): the number of the error that kept others from starting, or 0 */
static napi_value failure(napi_env env, napi_callback_info info) {
  int number;
  if (!readPoolNumber(env, info, &number)) return 0;
  const Pool *pool = environmentOf(env)->pools[number];
  return numberOf(env, pool ? pool->error : 0);
}

static void stop(Environment *environment, int number) {
  Pool *pool = environment->pools[number];
  environment->pools[number] = 0;
  if (pool) stopPool(pool);
}

/** stopThreads(pool) */
static napi_value stopThreads(napi_env env, napi_callback_info info) {
  int number;
  if (!readPoolNumber(env, info, &number)) return 0;
  stop(environmentOf(env), number);
  return 0;
}

/** Before the host unloads this code, its threads must be gone. */
static void leave(void *environment) {
  for (int number = 0; number < MOST_POOLS; number++) stop(environment, number);
  free(environment);
}

/** The names of the machines in this file; an empty one where the processor does not run it. */
static napi_value machineNames(napi_env env) {
  napi_value names, name;
  napi_create_array_with_length(env, MACHINES, &names);
  for (int k = 0; k < MACHINES; k++) {
    napi_create_string_utf8(env, answers[k] ? machines[k]->name : "", NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, (uint32_t)k, name);
  }
  return names;
}

NAPI_MODULE_INIT() {
  askAll();
  Environment *environment = calloc(1, sizeof *environment);
  if (!environment || napi_set_instance_data(env, environment, 0, 0) != napi_ok) return refuse(env, "no memory"), (napi_value)0;
  napi_add_env_cleanup_hook(env, leave, environment);
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
    {"layout", layout}, {"pack", pack}, {"forward", forward}, {"backward", backward}, {"linear", linear}, {"linearGradients", linearGradients}, {"adam", adam}, {"softmax", softmax}, {"softmaxGradient", softmaxGradient}, {"multiplyAdds", multiplyAdds},
    {"startThreads", startThreads}, {"threads", threads}, {"failure", failure}, {"stopThreads", stopThreads},
  };
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
    napi_value function;
    napi_create_function(env, functions[k].name, NAPI_AUTO_LENGTH, functions[k].call, 0, &function);
    napi_set_named_property(env, exports, functions[k].name, function);
  }
  napi_value sources;
  napi_create_string_utf8(env, SOURCES, NAPI_AUTO_LENGTH, &sources);
  napi_set_named_property(env, exports, "sources", sources);
  napi_set_named_property(env, exports, "machines", machineNames(env));
  return exports;
}
