import {
  add,
  clone,
  dropout,
  keep,
  matMul,
  mul,
  onesLike,
  type serialization as Serialization,
  serialization,
  slice,
  split,
  squeeze,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core'
import type { CellOfLayers, Weight } from './layers'

/** How Keras describes a layer. */
type Config = Serialization.ConfigDict
type CellClass = new (config: Config) => CellOfLayers

/** What is there of a `GRUCell` beside {@link CellOfLayers}. */
interface BuiltCell extends CellOfLayers {
  built: boolean
  useBias: boolean
  kernelInitializer: unknown
  recurrentInitializer: unknown
  biasInitializer: unknown
  kernelRegularizer: unknown
  recurrentRegularizer: unknown
  biasRegularizer: unknown
  kernelConstraint: unknown
  recurrentConstraint: unknown
  biasConstraint: unknown
  addWeight(name: string, shape: number[], dtype: null, ...rest: unknown[]): Weight<Tensor2D>
  getConfig(): Config
}

const own = new WeakSet<object>()

/** Whether a cell is a GRU cell with `resetAfter` that this file made. */
export function isResetAfter(cell: object): boolean {
  return own.has(cell)
}

/**
 * Teaches tfjs-layers to load GRU layers and cells with Keras's `reset_after=True`, its default, which it refuses: registers a
 * `fromConfig` for them, so `tf.loadLayersModel` finds it.
 *
 * @returns what takes that back
 */
export function registerResetAfter(gru: { constructor: unknown }, gruCell: { constructor: unknown }): () => void {
  const { classNameMap } = serialization.SerializationMap.getMap()
  const GRU = gru.constructor as new (config: Config) => { cell: CellOfLayers }
  const Cell = gruCell.constructor as CellClass
  let isActive = true
  const register = <Class>(name: string, Known: Class, make: (cls: Class, config: Config) => unknown): (() => void) => {
    const known = classNameMap[name]
    const fromConfig = (cls: Class, config: Config, custom?: Config): unknown =>
      isActive && config.resetAfter === true
        ? make(cls, config)
        : (known[1] as (...given: unknown[]) => unknown)(cls, config, custom)
    const ours = [Known, fromConfig] as unknown as typeof known
    classNameMap[name] = ours
    return () => {
      if (classNameMap[name] === ours) classNameMap[name] = known
    }
  }
  const undo = [
    register('GRU', GRU, (cls, config) =>
      Object.assign(new cls({ ...config, resetAfter: false }), { cell: resetAfterCell(Cell, config) }),
    ),
    register('GRUCell', Cell, (cls, config) => resetAfterCell(cls, config)),
  ]
  return () => {
    isActive = false
    for (const each of undo) each()
  }
}

/**
 * PyTorch's GRU cell, whose reset gate comes after the product with the hidden state, in Keras's layout:
 *
 *     z = σ(x·W_z + b_z + h·R_z + c_z)
 *     r = σ(x·W_r + b_r + h·R_r + c_r)
 *     n = tanh(x·W_n + b_n + r·(h·R_n + c_n))
 *     h = z·h + (1 − z)·n
 */
function resetAfterCell(Cell: CellClass, config: Config): CellOfLayers {
  const cell = new Cell({ ...config, resetAfter: false }) as unknown as BuiltCell
  const { units } = cell
  const configOfCell = cell.getConfig.bind(cell)
  Object.assign(cell, {
    resetAfter: true,
    getConfig: () => ({ ...configOfCell(), resetAfter: true }),
    build(shape: number[]) {
      const inputSize = shape[shape.length - 1]
      const weight = (name: string, rows: number, kind: 'kernel' | 'recurrent' | 'bias'): Weight<Tensor2D> =>
        cell.addWeight(
          name,
          [rows, 3 * units],
          null,
          cell[`${kind}Initializer`],
          cell[`${kind}Regularizer`],
          true,
          cell[`${kind}Constraint`],
        )
      Object.assign(cell, {
        kernel: weight('kernel', inputSize, 'kernel'),
        recurrentKernel: weight('recurrent_kernel', units, 'recurrent'),
        bias: cell.useBias ? weight('bias', 2, 'bias') : null,
        built: true,
      })
    },
    call(given: Tensor2D[], { training }: { training?: boolean | null } = {}) {
      return tidy(() => {
        const [x, h] = given.map((value, k) =>
          training ? dropped(cell, value, k === 0 ? 'dropout' : 'recurrentDropout') : value,
        )
        const bias = cell.bias?.read() as Tensor | undefined
        const biasOf = (row: number): Tensor1D => squeeze(slice(bias as Tensor2D, [row, 0], [1, -1]), [0])
        const product = (a: Tensor2D, weight: Weight<Tensor2D>, row: number): Tensor2D[] => {
          const all = matMul(a, weight.read())
          return split(bias ? add<Tensor2D>(all, biasOf(row)) : all, 3, 1)
        }
        const σ = (value: Tensor): Tensor => (cell.recurrentActivation as unknown as Activation).apply(value)
        const [xz, xr, xn] = product(x, cell.kernel, 0)
        const [hz, hr, hn] = product(h, cell.recurrentKernel, 1)
        const z = σ(add(xz, hz))
        const r = σ(add(xr, hr))
        const n = (cell.activation as unknown as Activation).apply(add(xn, mul(r, hn)))
        const next = add(mul(z, given[1]), mul(sub(1, z), n))
        return [next, next]
      })
    },
  })
  own.add(cell)
  return cell
}

/** A value times a mask that the layer's call draws once; tfjs-layers disposes it at the next call. */
function dropped(cell: BuiltCell, value: Tensor2D, name: 'dropout' | 'recurrentDropout'): Tensor2D {
  const rate = cell[name]
  if (!(rate > 0 && rate < 1)) return value
  const masks = cell as unknown as Record<`${typeof name}Mask`, Tensor | null>
  const { dropoutFunc } = cell
  masks[`${name}Mask`] ??= keep(
    clone(dropoutFunc ? dropoutFunc(onesLike(value), rate) : dropout(onesLike(value), rate)),
  )
  return mul(value, masks[`${name}Mask`] as Tensor)
}

interface Activation {
  apply(value: Tensor): Tensor
}
