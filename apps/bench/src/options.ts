import { InvalidArgumentError } from 'commander'

const BACKENDS = ['cuda', 'wasm', 'cpu'] as const
const LARGEST_SIZE = 100_000

export function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number over 0.')
  return value
}

/** A time that may be 0. */
export function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('Expected a number of seconds, or 0.')
  }
  return value
}

export function share(text: string): number {
  const value = positive(text)
  if (value >= 1) throw new InvalidArgumentError('Expected a number between 0 and 1.')
  return value
}

export function size(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > LARGEST_SIZE) {
    throw new InvalidArgumentError(`Expected an integer from 1 to ${LARGEST_SIZE}.`)
  }
  return value
}

/** Several sizes with commas between them, each once, ascending. */
export function sizes(text: string): number[] {
  return [...new Set(text.split(',').map(size))].sort((a, b) => a - b)
}

export function threads(text: string): number[] {
  const counts = sizes(text)
  if (counts.some((count) => count > 64)) throw new InvalidArgumentError('Expected at most 64 threads.')
  return counts
}

/** Backends with commas between them, or `all`. */
export function backends(text: string): (typeof BACKENDS)[number][] {
  if (text === 'all') return [...BACKENDS]
  return text.split(',').map((name) => {
    const known = BACKENDS.find((backend) => backend === name)
    if (!known) throw new InvalidArgumentError(`Expected all, or some of ${BACKENDS.join(', ')}.`)
    return known
  })
}

/** An option that may be given several times. */
export function several(path: string, earlier: string[]): string[] {
  return [...earlier, path]
}

/** What grows, with commas between. */
export function growths(text: string): string[] {
  const known = ['T', 'N', 'H', 'layers']
  return text.split(',').map((name) => {
    if (!known.includes(name)) throw new InvalidArgumentError(`Expected some of ${known.join(', ')}.`)
    return name
  })
}
