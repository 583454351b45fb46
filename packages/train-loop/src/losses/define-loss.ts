import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { hostTensor, isHostBackend, passingTensor, readValues } from '@rowwise/host-values'
import { customGrad, div, engine, sum, type Tensor, tidy } from '@tensorflow/tfjs-core'
import { TrainOptionError } from '../errors'
import type { LossFunction, LossVJP } from '../model'

/** How the losses of a batch become one: PyTorch's three ways. */
export type Reduction = 'mean' | 'sum' | 'none'

/** Options of every loss. */
export interface LossOptions {
  /** How the losses of a batch become one. @default 'mean' */
  reduction?: Reduction
}

/** A loss of this package: differentiable, with its gradient at hand and options that can be bound. */
export interface Loss<Options extends LossOptions> extends LossFunction {
  /** The loss, a scalar, or every single one with `reduction: 'none'`; the caller disposes it. */
  (outputs: Tensor, targets: Tensor, options?: Options): Tensor
  /** The loss and its pullback without TensorFlow.js's tape; undefined on a backend whose tensors are not in this process's memory. */
  vjp(outputs: Tensor, targets: Tensor, options?: Options): LossVJP | undefined
  /**
   * This loss with these options, for `fit` and `trainModel`.
   *
   * @throws {@link TrainOptionError} when an option is unknown or out of range.
   * @example
   * ```ts
   * await fit(model, { optimizer, train, loss: crossEntropy.with({ labelSmoothing: 0.1 }) })
   * ```
   */
  with(options: Options): LossFunction
}

/** The losses of a batch as arrays. */
export interface Losses {
  /** One for each target. */
  readonly values: Float32Array
  /** What their sum is divided by for the mean: their number, or the sum of their weights. */
  readonly divisor: number
  /**
   * The gradient with respect to the outputs.
   *
   * @param upstream the gradient with respect to each loss, or one number for all
   * @param isLast that nothing asks again, so arrays that were saved may be overwritten
   */
  pullback(upstream: Float32Array, isLast: boolean): Float32Array
}

/** What makes a loss: its equations, once as a graph and once over arrays. A test holds them equal. */
export interface LossRule<Options extends LossOptions, Settings> {
  /** The names of the options beside `reduction`. */
  options: OptionNames<Omit<Options, 'reduction'>>
  /** Refuses options and fills defaults in. @throws {@link TrainOptionError} */
  settings(options: Options): Settings
  /** Refuses outputs and targets that do not belong together. @throws {@link TargetError} */
  check(outputs: Tensor, targets: Tensor, settings: Settings): void
  /** The equations as a graph: the losses, one for each target, and the divisor of their mean. */
  graph(outputs: Tensor, targets: Tensor, settings: Settings): { losses: Tensor; divisor: Tensor | number }
  /** The same over arrays. */
  arrays(outputs: Tensor, targets: Tensor, settings: Settings): Losses
}

/** Makes a loss of its rule. */
export function defineLoss<Options extends LossOptions, Settings>(
  name: string,
  rule: LossRule<Options, Settings>,
): Loss<Options> {
  const prepare = (options: Options) => {
    refuseUnknownOptions<object>(`${name}()`, options, { reduction: true, ...rule.options }, TrainOptionError)
    const { reduction = 'mean' } = options
    checkReduction(name, reduction)
    return { reduction, settings: rule.settings(options) }
  }
  type Prepared = ReturnType<typeof prepare>

  const loss = (outputs: Tensor, targets: Tensor, { reduction, settings }: Prepared): Tensor => {
    rule.check(outputs, targets, settings)
    // The operation has a gradient, and that has none.
    if (!isHostBackend() || engine().state.gradientDepth > 1) {
      return tidy(() => {
        const { losses, divisor } = rule.graph(outputs, targets, settings)
        if (reduction === 'none') return losses
        return reduction === 'sum' ? sum(losses) : div(sum(losses), divisor)
      })
    }
    const operation = customGrad((input) => {
      const { value, pullback } = fused(rule.arrays(input as Tensor, targets, settings), targets, reduction)
      const shape = [...outputs.shape]
      return { value, gradFunc: (upstream: Tensor) => hostTensor(pullback(readValues(upstream), false), shape) }
    })
    return operation(outputs)
  }
  const vjp = (outputs: Tensor, targets: Tensor, { reduction, settings }: Prepared): LossVJP | undefined => {
    rule.check(outputs, targets, settings)
    if (!isHostBackend() || reduction === 'none') return undefined
    const fuse = () => fused(rule.arrays(outputs, targets, settings), targets, reduction)
    const { value, pullback } = fuse()
    let isTaken = false
    const again = (): Float32Array => {
      const { value: same, pullback: anew } = fuse()
      same.dispose()
      return anew(ONE, true)
    }
    return {
      value,
      pullback() {
        // It takes the arrays of the loss, so a second one computes it again.
        const gradient = isTaken ? again() : pullback(ONE, true)
        isTaken = true
        return passingTensor(gradient, [...outputs.shape])
      },
    }
  }
  return Object.assign(
    (outputs: Tensor, targets: Tensor, options = {} as Options) => loss(outputs, targets, prepare(options)),
    {
      vjp: (outputs: Tensor, targets: Tensor, options = {} as Options) => vjp(outputs, targets, prepare(options)),
      with(options: Options): LossFunction {
        const prepared = prepare(options)
        return Object.assign((outputs: Tensor, targets: Tensor) => loss(outputs, targets, prepared), {
          reduction: prepared.reduction,
          vjp: (outputs: Tensor, targets: Tensor) => vjp(outputs, targets, prepared),
        })
      },
    },
  )
}

const ONE = Float32Array.of(1)

/** Reduces the losses, and spreads the gradient over them. */
function fused({ values, divisor, pullback }: Losses, targets: Tensor, reduction: Reduction) {
  if (reduction === 'none') return { value: hostTensor(values, [...targets.shape]), pullback }
  let total = 0
  for (let at = 0; at < values.length; at++) total += values[at]
  const share = reduction === 'mean' ? divisor : 1
  return {
    value: hostTensor(Float32Array.of(total / share), []),
    pullback: ([dy]: Float32Array, isLast: boolean) => pullback(Float32Array.of(dy / share), isLast),
  }
}

function checkReduction(loss: string, reduction: string): asserts reduction is Reduction {
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new TrainOptionError(`${loss}: reduction is ${JSON.stringify(reduction)}, expected 'mean', 'sum' or 'none'`)
  }
}
