// What JavaScript passes, checked: every function here throws there and returns 0 when a value is not what it should be.
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdint.h>
#include <string.h>

enum { MOST_ARGUMENTS = 12 };

typedef struct {
  napi_env env;
  napi_value values[MOST_ARGUMENTS];
  size_t count;
} Arguments;

/** Throws a RangeError; returns 0. */
static int refuse(napi_env env, const char *message) {
  napi_throw_range_error(env, "KERNEL_ARGUMENT", message);
  return 0;
}

static int readArguments(napi_env env, napi_callback_info info, size_t count, Arguments *to) {
  to->env = env, to->count = MOST_ARGUMENTS;
  if (napi_get_cb_info(env, info, &to->count, to->values, 0, 0) != napi_ok) return 0;
  return to->count >= count || refuse(env, "too few arguments");
}

static int isGiven(const Arguments *from, int index) {
  napi_valuetype type;
  return napi_typeof(from->env, from->values[index], &type) == napi_ok && type != napi_undefined && type != napi_null;
}

static int readInteger(const Arguments *from, int index, int low, int high, int *to) {
  double value;
  if (napi_get_value_double(from->env, from->values[index], &value) != napi_ok) return refuse(from->env, "an argument is no number");
  if (!(value >= low && value <= high)) return refuse(from->env, "a number is out of range");
  *to = (int)value;
  return 1;
}

/** A typed array of at least `least` elements; with `length`, how many there are. */
static int readArray(const Arguments *from, int index, napi_typedarray_type wanted, int64_t least, void **to, size_t *length) {
  napi_typedarray_type type;
  size_t found = 0;
  *to = 0;
  if (napi_get_typedarray_info(from->env, from->values[index], &type, &found, to, 0, 0) != napi_ok || type != wanted)
    return refuse(from->env, "an argument is no typed array of the right kind");
  if ((int64_t)found < least || (!*to && least > 0)) return refuse(from->env, "an array is too short");
  if (length) *length = found;
  return 1;
}

static int readFloats(const Arguments *from, int index, int64_t least, float **to) {
  return readArray(from, index, napi_float32_array, least, (void **)to, 0);
}

/** The same, or null for undefined. */
static int readOptionalFloats(const Arguments *from, int index, int64_t least, float **to) {
  *to = 0;
  return !isGiven(from, index) || readFloats(from, index, least, to);
}

static napi_value numberOf(napi_env env, double number) {
  napi_value value = 0;
  napi_create_double(env, number, &value);
  return value;
}
