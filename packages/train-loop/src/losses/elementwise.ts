import type { OptionNames } from '@rowwise/errors'
import { readValues } from '@rowwise/host-values'
import type { Tensor } from '@tensorflow/tfjs-core'
import { requireAlike } from './check-tensor'
import { defineLoss, type Loss, type LossOptions } from './define-loss'

/** A loss of each element by itself. */
interface ElementwiseRule<Options extends LossOptions, Settings> {
  options: OptionNames<Omit<Options, 'reduction'>>
  settings(options: Options): Settings
  /** Refuses more than a difference of shape or dtype. */
  check?(outputs: Tensor, targets: Tensor, settings: Settings): void
  /** The losses as a graph. */
  graph(outputs: Tensor, targets: Tensor, settings: Settings): Tensor
  /** The loss of an output x with the target y; `at` counts the elements. */
  loss(x: number, y: number, settings: Settings, at: number): number
  /** Its derivative with respect to x. */
  slope(x: number, y: number, settings: Settings, at: number): number
}

/** Makes a loss of what it is for one element; the mean is over all elements. */
export function defineElementwiseLoss<Options extends LossOptions, Settings>(
  name: string,
  rule: ElementwiseRule<Options, Settings>,
): Loss<Options> {
  return defineLoss<Options, Settings>(name, {
    options: rule.options,
    settings: rule.settings,
    check(outputs, targets, settings) {
      requireAlike(name, outputs, targets)
      rule.check?.(outputs, targets, settings)
    },
    graph: (outputs, targets, settings) => ({ losses: rule.graph(outputs, targets, settings), divisor: targets.size }),
    arrays(outputs, targets, settings) {
      const [x, y] = [readValues(outputs), readValues(targets)]
      return {
        values: x.map((value, at) => rule.loss(value, y[at], settings, at)),
        divisor: x.length,
        pullback: (upstream) =>
          x.map((value, at) => rule.slope(value, y[at], settings, at) * upstream[upstream.length === 1 ? 0 : at]),
      }
    },
  })
}
