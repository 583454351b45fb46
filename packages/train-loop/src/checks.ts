import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { engine, type Scalar, Tensor } from '@tensorflow/tfjs-core'
import { EmptySourceError, TargetError, TrainOptionError } from './errors'
import type { Batch, BatchSource, LossFunction, Trainable } from './model'
import type { Optimizer } from './optimizers/optimizer'

/** Refuses option names that nobody reads. */
export function refuseOptions<Options extends object>(
  owner: string,
  options: Options,
  known: OptionNames<Options>,
): void {
  refuseUnknownOptions(owner, options, known, TrainOptionError)
}

/** Refuses what is not a model, with what it lacks. */
export function requireModel(owner: string, model: Trainable): void {
  const missing = (['forward', 'parameters', 'stateDict', 'loadStateDict'] as const).filter(
    (name) => typeof model?.[name] !== 'function',
  )
  if (missing.length === 0) return
  throw new TrainOptionError(`${owner} got ${show(model)} as its model, expected an object with ${missing.join(', ')}`)
}

/** Refuses what is not an optimizer. */
export function requireOptimizer(owner: string, optimizer: Optimizer): void {
  if (typeof optimizer?.step === 'function' && typeof optimizer.lr === 'number') return
  throw new TrainOptionError(
    `${owner} got ${show(optimizer)} as its optimizer, expected one such as new Adam(model.parameters())`,
  )
}

/** Refuses what is not a loss. */
export function requireLoss(owner: string, loss: unknown): void {
  if (typeof loss === 'function') return
  throw new TrainOptionError(`${owner} got ${show(loss)} as its loss, expected a function such as crossEntropy`)
}

/** Refuses a signal that is none, such as its controller: it would never stop anything. */
export function requireSignal(owner: string, signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.aborted === 'boolean') return
  throw new TrainOptionError(`${owner} got ${show(signal)} as its signal, expected an AbortSignal: controller.signal`)
}

/** Refuses outputs that are no tensor. */
export function requireOutputs(value: Tensor): Tensor {
  if (value instanceof Tensor) return value
  throw new TrainOptionError(
    `the model's forward() gave ${show(value)}, expected a tensor: of several outputs, a module of one's own can give the one that counts`,
  )
}

/** Refuses a loss that is not one number. */
export function requireScalar(value: Tensor): Scalar {
  if (!(value instanceof Tensor)) {
    throw new TrainOptionError(
      `the loss is ${show(value)}, expected a tensor of one number, at once and not as a promise`,
    )
  }
  if (value.rank === 0) return value as Scalar
  throw new TrainOptionError(
    `the loss is a tensor of shape [${value.shape}], expected one number; take its mean, or reduction: 'mean'`,
  )
}

/** The result of a computation in `tidy`; a copy of it if the tensor was made elsewhere or is kept, so its owner keeps it. */
export function ownTensor(value: Tensor): Tensor {
  return engine().state.activeScope.track.includes(value) ? value : value.clone()
}

/**
 * Refuses what gives no batches, or gives them once where they are wanted several times.
 *
 * @param passes how often it will be iterated
 */
export function requireSource(name: string, source: BatchSource, passes: number): void {
  const {
    [Symbol.iterator]: iterator,
    [Symbol.asyncIterator]: asyncIterator,
    next,
  } = (source ?? {}) as {
    [Symbol.iterator]?: unknown
    [Symbol.asyncIterator]?: unknown
    next?: unknown
  }
  if (typeof source === 'string' || (typeof iterator !== 'function' && typeof asyncIterator !== 'function')) {
    throw new TrainOptionError(
      `${name} is ${show(source)}, expected batches { inputs, targets }: a DataLoader, an array, or another iterable`,
    )
  }
  if (Array.isArray(source)) {
    if (source.length === 0) throw emptySource(name)
    requireBatch(source[0], 1)
  }
  if (passes > 1 && typeof next === 'function') {
    throw new TrainOptionError(
      `${name} is an iterator, which gives its batches once, but is wanted ${passes} times; pass an array, or an object whose ` +
        '[Symbol.iterator]() begins anew each time',
    )
  }
}

/** The error of a source that gave no batch. */
export function emptySource(name: string): EmptySourceError {
  return new EmptySourceError(
    `${name} gave no batch: it is empty, or was used up before; pass data, or an iterable that begins anew each time`,
  )
}

/** Refuses what is not a batch of living tensors; the inputs may be several of them by name, beside plain values such as lengths. */
export function requireBatch(batch: Batch, number: number): void {
  if (Array.isArray(batch)) {
    throw new TargetError(`batch ${number} is an array, expected { inputs, targets }; give its parts these names`)
  }
  const inputs = batch?.inputs
  const isRecord = Object.prototype.toString.call(inputs) === '[object Object]' && !(inputs instanceof Tensor)
  const parts = isRecord ? Object.entries(inputs).filter(([, value]) => value instanceof Tensor) : []
  for (const [name, tensor] of parts) requireLiving(batch, `inputs.${name}`, tensor, number)
  if (parts.length === 0) requireLiving(batch, 'inputs', inputs, number)
  requireLiving(batch, 'targets', batch.targets, number)
}

function requireLiving(batch: Batch, name: string, value: unknown, number: number): void {
  if (value instanceof Tensor && !value.isDisposed) return
  const found = value instanceof Tensor ? 'a disposed tensor' : show(value)
  const keys = batch !== null && typeof batch === 'object' ? ` (the batch has ${Object.keys(batch).join(', ')})` : ''
  throw new TargetError(`${name} of batch ${number} is ${found}, expected a tensor${keys}`)
}

/** Samples in a batch: the first axis of its tensors. */
export function samplesOf({ inputs, targets }: Batch): number {
  return (inputs instanceof Tensor ? inputs : targets).shape[0] ?? 1
}

/** How often a batch's loss counts in a mean over samples. */
export function weightOf({ reduction }: LossFunction, samples: number): number {
  return reduction === 'sum' ? 1 : samples
}

/** A value in a few words. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  const name = value.constructor?.name
  return name && name !== 'Object' ? `an object of class ${name.replace(/^_/, '')}` : 'an object'
}

/** Refuses what is not a finite number of at least 0. */
export function requireNonNegative(owner: string, settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (Number.isFinite(value) && value >= 0) continue
    throw new TrainOptionError(`${owner}: ${name} is ${value}, expected a finite number of at least 0`)
  }
}
