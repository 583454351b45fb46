import type { RunSettings } from './settings'

/** What a resumed run must share; not the number of epochs, which may grow, nor where the data are. */
export function whatDecidesNumbers(settings: RunSettings): Record<string, unknown> {
  const others: readonly string[] = ['epochs', 'data', 'images', 'csv', 'source'] satisfies (keyof RunSettings)[]
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !others.includes(name)))
}
