import { describeValue } from '@rowwise/safetensors'
import type { Generator } from '@rowwise/torch-random'
import { ModuleOptionError } from './errors'

/** Throws a {@link ModuleOptionError} that names the first size which is not a positive integer. */
export function requirePositiveInteger(owner: string, sizes: Readonly<Record<string, unknown>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || (size as number) < 1) {
      throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(size)}, expected an integer of at least 1`)
    }
  }
}

/** Throws a {@link ModuleOptionError} that names the first flag which is neither true nor false. */
export function requireBoolean(owner: string, flags: Readonly<Record<string, unknown>>): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (typeof flag !== 'boolean') {
      throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(flag)}, expected true or false`)
    }
  }
}

/** Throws a {@link ModuleOptionError} unless the dropout is a probability below 1. */
export function requireDropout(owner: string, dropout: unknown): void {
  if (!(typeof dropout === 'number' && dropout >= 0 && dropout < 1)) {
    throw new ModuleOptionError(
      `${owner}: dropout is ${describeValue(dropout)}, expected a probability from 0 up to, not including, 1`,
    )
  }
}

/** Throws a {@link ModuleOptionError} unless it is a generator of `@rowwise/torch-random`, or one like it. */
export function requireGenerator(owner: string, generator: Generator): void {
  if (typeof (generator as Generator | null)?.uniform !== 'function') {
    throw new ModuleOptionError(
      `${owner}: generator is ${describeValue(generator)}, expected a Generator of @rowwise/torch-random, e.g. new Generator(0)`,
    )
  }
}
