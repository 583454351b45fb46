import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Generator } from '@rowwise/torch-random'

/** Whether this is `npm run test:soak`, which takes minutes; `npm test` runs a short cut of the same. */
export const isSoak = process.env.ROWWISE_SOAK === '1'

/** Milliseconds that a soak test may take at most. */
export const TIMEOUT = 45 * 60_000

/** The seed of everything random here; another one by ROWWISE_SOAK_SEED. */
export const seed = Number(process.env.ROWWISE_SOAK_SEED ?? 1)

/** A random stream of its own for a test. */
export function randomFor(test: number) {
  const generator = new Generator(seed * 1000 + test)
  const below = (bound: number): number => generator.random() % bound
  return { below, pick: <T>(items: readonly T[]): T => items[below(items.length)] }
}

export type Random = ReturnType<typeof randomFor>

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'rowwise-soak-'))

/** One line for the reliability table. */
export function report(line: string): void {
  console.log(`soak, seed ${seed}: ${line}`)
}
