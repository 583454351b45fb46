import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { isTypedArray } from '@rowwise/host'
import { moveToCurrentBackend, readValues } from '@rowwise/host-values'
import { engine, Tensor, type Tensor1D, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { requireRuntime } from '../configure'
import { KernelOptionError, KernelShapeError } from '../errors'
import type { LinearGradients, RecurrentGradients, Upstream, WantedGradients } from '../runtime'
import { checkPass, checkShapes, passInputs, requireTensor } from './inputs'
import { layerPass, moveHere, read } from './pass'
import { releaseFinished } from './reserve'
import type { LookupInputs, RecurrentOptions, RecurrentWeightTensors } from './types'

/**
 * A forward pass and its pullback (a vector-Jacobian product, as `jax.vjp` returns), without TensorFlow.js's tape: for a short training
 * step the tape's bookkeeping is a good part of the time. All arrays are views of the kernels' memory, which nobody changes.
 */
export interface RecurrentPass {
  /** `[N, T, H]`, zero past a row's length; absent with `returnOutput: false`. Valid until `release`. */
  readonly output?: Float32Array
  /** The hidden state after each row's last step, `[N, H]`. Valid until `release`. */
  readonly h: Float32Array
  /** The cell state after each row's last step, `[N, H]`; of an LSTM only. Valid until `release`. */
  readonly c?: Float32Array
  /**
   * The gradients by the weights, and what else is wanted, from those by the outputs; absent ones are zero. Valid until `release`.
   *
   * @throws {@link KernelShapeError} when one has another size than its output, or there is no such output; {@link KernelStateError} after
   * `release`.
   */
  pullback(upstream: Upstream, wanted?: WantedGradients): RecurrentGradients
  /** Gives the memory back; to be called once the arrays are read. */
  release(): void
}

/**
 * One direction of one recurrent layer outside of the tape: the numbers of {@link recurrent} on arrays, so that what one layer passes to the
 * next stays where it is.
 *
 * @param x `[N, T, I]`, a tensor or values of `shape`; or a lookup, whose vectors are multiplied by `weightIh` once instead
 * of at every step that reads them, and have the gradient `x`, `[V, I]`. Read during the call alone.
 * @throws {@link KernelOptionError}, {@link KernelShapeError} and {@link KernelLengthsError} as {@link recurrent},
 * {@link KernelMemoryError} when the batch is too large for WebAssembly's memory, {@link KernelStateError} when the kernels are switched off.
 * @example
 * ```ts
 * const pass = recurrentPass(values, [8, 28, 28], { weightIh, weightHh }, { cell: 'gru', returnOutput: false })
 * const { weightIh: gradient } = pass.pullback({ h: gradientOfH })
 * pass.release()
 * ```
 */
export function recurrentPass(
  x: Float32Array | Tensor3D | LookupInputs,
  shape: readonly [batch: number, time: number, inputSize: number],
  weights: RecurrentWeightTensors,
  options: RecurrentOptions,
): RecurrentPass {
  if (isLookup(x)) requireLookup(x, shape)
  else requireValues('x', x, shape)
  const isDisposed = x instanceof Tensor && x.isDisposed
  const [batch, time, inputSize] = shape
  const size = batch * time * inputSize
  const given = { shape, dtype: x instanceof Tensor ? x.dtype : 'float32', size, isDisposed }
  const attributes = checkPass('recurrent', 'pytorch', given, weights, options, checkShapes)
  if (weights.weightHr)
    throw new KernelShapeError('weightHr is given, but the kernels know no projection; use recurrent')
  releaseFinished()
  const inputs = passInputs(x instanceof Tensor ? x : undefined, weights, options.initial)
  moveHere(inputs)
  if (isLookup(x)) moveToCurrentBackend(x.vectors)
  const { backend } = engine()
  const values = x instanceof Tensor ? read(backend, x) : isLookup(x) ? { ...x, vectors: read(backend, x.vectors) } : x
  const { output, h, c, saved } = layerPass(values, shape, inputs, backend, attributes, true)
  const { backward, release } = saved as NonNullable<typeof saved>
  const outputs = { ...(output && { output }), h, ...(c && { c }) }
  return {
    ...outputs,
    pullback(upstream, wanted) {
      if (typeof upstream !== 'object' || upstream === null) {
        throw new KernelShapeError(`the upstream gradients are ${String(upstream)}, expected { h, c, output }`)
      }
      if (wanted !== undefined) refuseUnknownOptions('pullback()', wanted, WANTED, KernelOptionError)
      for (const name in upstream) requireUpstream(name as keyof Upstream, upstream, outputs)
      return backward(upstream, wanted)
    },
    release,
  }
}

const WANTED: OptionNames<WantedGradients> = { x: true, initial: true }

function isLookup(x: Float32Array | Tensor3D | LookupInputs): x is LookupInputs {
  return typeof x === 'object' && x !== null && 'tokens' in x
}

/** Refuses a lookup of another shape, or of a row that is not there. */
function requireLookup({ tokens, vectors }: LookupInputs, shape: readonly number[]): void {
  const [batch, time, inputSize] = requireSizes('x', shape)
  requireTensor('x.vectors', vectors)
  if (
    vectors.shape.length !== 2 ||
    vectors.shape[1] !== inputSize ||
    vectors.dtype !== 'float32' ||
    vectors.size === 0
  ) {
    throw new KernelShapeError(
      `x.vectors is ${vectors.dtype} [${vectors.shape}], expected float32 [V, ${inputSize}] for x of [${shape}]`,
    )
  }
  if (!isTypedArray(tokens, 'Int32Array') || tokens.length !== batch * time) {
    throw new KernelShapeError(
      `x.tokens is ${Object.prototype.toString.call(tokens)} of ${tokens?.length} numbers, expected an Int32Array of ${batch * time}`,
    )
  }
  const stray = tokens.find((token) => !(token >= 0 && token < vectors.shape[0]))
  if (stray !== undefined) {
    throw new KernelShapeError(`x.tokens has ${stray}, expected 0 to ${vectors.shape[0] - 1}, a row of x.vectors`)
  }
}

function requireSizes(name: string, shape: readonly number[]): readonly number[] {
  if (shape?.length === 3 && shape.every((length) => Number.isInteger(length) && length > 0)) return shape
  throw new KernelShapeError(`the shape of ${name} is [${shape}], expected three integers over 0, [N, T, I]`)
}

/** Refuses numbers that are not those of a shape. */
function requireValues(name: string, x: Float32Array | Tensor3D, shape: readonly number[]): void {
  const size = requireSizes(name, shape).reduce((product, length) => product * length, 1)
  if (x instanceof Tensor) {
    if (x.shape.join() === shape.join()) return
    throw new KernelShapeError(`${name} is a tensor of shape [${x.shape}], expected [${shape}]`)
  }
  requireFloats(name, x, size, `those of [${shape}]`)
}

function requireUpstream(name: keyof Upstream, upstream: Upstream, outputs: Upstream): void {
  const [found, output] = [upstream[name], outputs[name]]
  if (found === undefined) return
  if (output === undefined) {
    throw new KernelShapeError(`upstream.${name} is given, but the pass has ${Object.keys(outputs).join(' and ')} only`)
  }
  requireFloats(`upstream.${name}`, found, output.length, 'as its output has')
}

function requireFloats(name: string, found: Float32Array, count: number, of: string): void {
  if (!isTypedArray(found, 'Float32Array')) {
    throw new KernelShapeError(
      `${name} is ${Object.prototype.toString.call(found)}, expected a Float32Array of ${count} numbers`,
    )
  }
  if (found.length !== count)
    throw new KernelShapeError(`${name} has ${found.length} numbers, expected ${count}, ${of}`)
}

/** A linear layer's output and its pullback, outside of the tape. */
export interface LinearPass {
  /** `[N, O]` */
  readonly output: Float32Array
  /** The gradients from the one by the output, in `to`, whose arrays overlap none that is read, or in new ones. */
  pullback(upstream: Float32Array, to?: LinearGradients): LinearGradients
}

/**
 * `fusedLinear` on arrays, outside of the tape.
 *
 * @param x `[N, I]`; read once more by `pullback`, so it must be unchanged until then
 * @param weight float32 `[O, I]`
 * @param bias float32 `[O]`
 * @param output an array to write, another one than `x`; a new one when absent
 * @throws {@link KernelShapeError} when a size does not fit, {@link KernelStateError} when the kernels are switched off.
 * @example
 * ```ts
 * const { output, pullback } = linearPass(hidden, weight, bias)
 * const { x: gradientOfHidden } = pullback(gradientOfOutput)
 * ```
 */
export function linearPass(x: Float32Array, weight: Tensor2D, bias?: Tensor1D, output?: Float32Array): LinearPass {
  const { linear } = requireRuntime()
  for (const [name, tensor] of Object.entries({ weight, ...(bias && { bias }) })) {
    requireTensor(name, tensor)
    if (tensor.dtype !== 'float32') throw new KernelShapeError(`${name} is ${tensor.dtype}, expected float32`)
  }
  const [outFeatures, inFeatures] = weight.shape
  if (weight.shape.length !== 2 || weight.size === 0) {
    throw new KernelShapeError(`weight is [${weight.shape}], expected [O, I], neither of them 0`)
  }
  const rows = Math.max(1, Math.ceil(x.length / inFeatures))
  requireFloats('x', x, rows * inFeatures, `${rows} rows of ${inFeatures}`)
  if (bias && bias.shape.join() !== String(outFeatures)) {
    throw new KernelShapeError(`bias is [${bias.shape}], expected [${outFeatures}]`)
  }
  const shape = { rows, inFeatures, outFeatures }
  const weightValues = readValues(weight)
  const y = output ?? new Float32Array(rows * outFeatures)
  requireFloats('output', y, rows * outFeatures, `${rows} rows of ${outFeatures}`)
  linear.forward(shape, x, weightValues, bias && readValues(bias), y)
  return {
    output: y,
    pullback(upstream, to) {
      requireFloats('upstream', upstream, rows * outFeatures, 'as the output has')
      const sizes = { x: x.length, weight: weightValues.length, bias: outFeatures }
      const arrayOf = (name: keyof LinearGradients): Float32Array => {
        const array = to?.[name] ?? new Float32Array(sizes[name])
        requireFloats(`to.${name}`, array, sizes[name], `as ${name} has`)
        return array
      }
      const gradients = { x: arrayOf('x'), weight: arrayOf('weight'), bias: arrayOf('bias') }
      linear.gradients(shape, upstream, x, weightValues, gradients)
      return gradients
    },
  }
}
