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

/** Throws a {@link ModuleOptionError} that names the first number which is not an integer of at least 0. */
export function requireNonNegativeInteger(owner: string, sizes: Readonly<Record<string, unknown>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(size)}, expected an integer of at least 0`)
    }
  }
}

/** Throws a {@link ModuleOptionError} that names the first number which is not over 0. */
export function requirePositiveNumber(owner: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, number] of Object.entries(numbers)) {
    if (!(typeof number === 'number' && number > 0 && Number.isFinite(number))) {
      throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(number)}, expected a number over 0`)
    }
  }
}

/** Throws a {@link ModuleOptionError} that names the first text which is none of those that are allowed. */
export function requireOneOf(
  owner: string,
  texts: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): void {
  for (const [name, text] of Object.entries(texts)) {
    if (!allowed.includes(text as string)) {
      const list = allowed.map((one) => `'${one}'`).join(' or ')
      throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(text)}, expected ${list}`)
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
export function requireDropout(owner: string, dropout: unknown, name = 'dropout'): void {
  if (!(typeof dropout === 'number' && dropout >= 0 && dropout < 1)) {
    throw new ModuleOptionError(
      `${owner}: ${name} is ${describeValue(dropout)}, expected a probability from 0 up to, not including, 1`,
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
