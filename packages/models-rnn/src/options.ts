import { ModuleOptionError } from './errors'

/** Throws a {@link ModuleOptionError} that names the first size which is no positive integer. */
export function requirePositiveInteger(owner: string, sizes: Record<string, number>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ModuleOptionError(`${owner}: ${name} is ${size}, expected an integer of at least 1`)
    }
  }
}
