import { SweepDefinitionError } from '../errors'
import { type Config, type Space, valueAt, valuesOf } from '../space'
import { type CompleteSweep, drawsOf, MAX_TRIALS } from '../sweep'
import { sobolPoints } from './sobol'

/**
 * The configurations of a search, in order.
 *
 * @throws {@link SweepDefinitionError} for a grid over a dimension without an end, or of too many combinations.
 */
export function configurationsOf(sweep: CompleteSweep): Config[] {
  const { space, search } = sweep
  if (search.type === 'grid') return grid(space)
  const dimensions = Object.keys(space).length
  const generator = drawsOf(sweep)
  const points =
    search.type === 'sobol'
      ? sobolPoints(dimensions, search.trials, generator)
      : Array.from({ length: search.trials }, () => Float64Array.from({ length: dimensions }, () => unit(generator)))
  return points.map((point) => configAt(space, point))
}

/** A draw of [0, 1) with 53 bits, as `Tensor.uniform_` of float64. */
function unit(generator: { random64(): bigint }): number {
  return Number(generator.random64() & ((1n << 53n) - 1n)) / 2 ** 53
}

function configAt(space: Space, point: Float64Array): Config {
  return Object.fromEntries(Object.entries(space).map(([name, dimension], k) => [name, valueAt(dimension, point[k])]))
}

/** Every combination; the last dimension changes fastest. */
function grid(space: Space): Config[] {
  const axes = Object.entries(space).map(([name, dimension]) => {
    const values = valuesOf(dimension)
    if (values) return { name, values }
    throw new SweepDefinitionError(
      `space.${name} has no end of values, which a grid cannot try; list some as choice, or search at random`,
    )
  })
  const count = axes.reduce((product, { values }) => product * values.length, 1)
  if (count > MAX_TRIALS) {
    throw new SweepDefinitionError(
      `the grid has ${count} combinations, at most ${MAX_TRIALS} are tried; list fewer values`,
    )
  }
  return Array.from({ length: count }, (_, index) => {
    let rest = index
    const chosen = [...axes].reverse().map(({ name, values }) => {
      const value = values[rest % values.length]
      rest = Math.floor(rest / values.length)
      return [name, value] as const
    })
    return Object.fromEntries(chosen.reverse())
  })
}
