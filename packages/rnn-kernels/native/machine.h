// The kernels as one instruction set runs them.
#pragma once
#include "../kernels/job.h"
#include "../kernels/linear-job.h"
#include "softmax-job.h"

/** Operations on a job that run slice by slice, or part by part. */
typedef void (*Operation)(const void *job, int slice, int thread);

typedef struct {
  const char *name;
  double (*planPass)(Job *job, char *base);
  double (*planWeights)(Job *job, char *base);
  void (*pack)(const Job *job);
  void (*begin)(const Job *job);
  Operation forward;
  Operation backward;
  Operation collect;
  int parts; /* of collect */
  int cells;
  int (*gates)(int cell);
  int (*linearScratch)(int rows, int inFeatures, int outFeatures);
  Operation linear;
  Operation linearGradients;
  double (*multiplyAdds)(int rounds);
  void (*adam)(const float *theta, const float *gradient, float *m, float *v, float *next, int count, float beta1, float beta2, float oneMinusBeta1,
               float oneMinusBeta2, float stepSize, float rootCorrection, float eps, float lambda);
  Operation softmax;
  Operation softmaxGradient;
} Machine;
