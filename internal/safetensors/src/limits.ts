/** Our largest model's header is 2 kB; one over a megabyte is an attack on memory. */
export const MAX_HEADER_BYTES = 1 << 20

/** Names are attribute paths; longer ones only serve to bloat an error message. */
export const MAX_NAME_LENGTH = 1024

/** A model has tens of tensors; a header with more than this is an attack on time. */
export const MAX_TENSORS = 4096

/** Axes of a tensor; PyTorch's own limit is 64. */
export const MAX_RANK = 64

/** Names that could reach `Object.prototype` in a program that uses them as keys. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
