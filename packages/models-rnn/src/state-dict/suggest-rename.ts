import type { ParameterSizes } from '../parameter-sizes'
import type { Entry } from './entries'
import type { Rename } from './rename'
import { withoutWrappers } from './wrappers'

/** Names of the parameters of `nn.LSTMCell` and its like, which lack the layer. */
const OF_CELL = /^(weight|bias)_(ih|hh)$/

/** Shapes by the last part of the name, and by what is before it: the layer. */
type Layers = Map<string, Map<string, readonly number[]>>

/**
 * The rename that gives a model's layers the tensors of a state dict which has them under other names, found by the last parts of
 * the names and the shapes. Undefined unless for every layer that is missing exactly one fits.
 *
 * @param expected the model's parameters
 * @param found the tensors of the state dict by name
 */
export function suggestRename(expected: ParameterSizes, found: ReadonlyMap<string, Entry>): Rename | undefined {
  const layers = layersOf(Object.entries(expected).map(([name, { shape }]) => [name, shape]))
  const candidates = layersOf(floatShapes(found))
  const rename: Record<string, string> = {}
  const present = [...layers].filter(([layer, shapes]) => fits(candidates.get(layer), shapes)).map(([layer]) => layer)
  const taken = new Set(present)
  for (const [layer, shapes] of layers) {
    if (present.includes(layer)) continue
    const fitting = [...candidates].filter(([name, found]) => !taken.has(name) && fits(found, shapes))
    if (fitting.length !== 1) return undefined
    const [[name, parameters]] = fitting
    taken.add(name)
    Object.assign(rename, entriesOf(name === '' ? rootLayer(found) : name, layer, [...parameters.keys()]))
  }
  return Object.keys(rename).length > 0 ? rename : undefined
}

/** Shapes of the floats of a state dict, by their names without wrappers. */
function floatShapes(found: ReadonlyMap<string, Entry>): [string, readonly number[]][] {
  return [...found].flatMap(([name, { shape, floats }]) => (floats ? [[withoutWrappers(name), shape]] : []))
}

/** The layer of the names that have none without wrappers: what looks like a wrapper is that layer's name. */
function rootLayer(found: ReadonlyMap<string, Entry>): string {
  const name = [...found.keys()].find((candidate) => !withoutWrappers(candidate).includes('.')) ?? ''
  return name.slice(0, Math.max(name.lastIndexOf('.'), 0))
}

/** Parameters by layer. */
export function layersOf(shapes: readonly (readonly [string, readonly number[]])[]): Layers {
  const layers: Layers = new Map()
  for (const [name, shape] of shapes) {
    const dot = name.lastIndexOf('.')
    const layer = name.slice(0, Math.max(dot, 0))
    layers.set(layer, (layers.get(layer) ?? new Map()).set(name.slice(dot + 1), shape))
  }
  return layers
}

/** A parameter's name in a layer; of a cell, that of a first layer. */
export function layerName(parameter: string): string {
  return parameter.replace(OF_CELL, '$&_l0')
}

function fits(
  found: ReadonlyMap<string, readonly number[]> | undefined,
  expected: ReadonlyMap<string, readonly number[]>,
): boolean {
  const named = new Map([...(found ?? [])].map(([name, shape]) => [layerName(name), shape.join()]))
  return named.size === expected.size && [...expected].every(([name, shape]) => named.get(name) === shape.join())
}

/** One entry for a layer; a cell's parameters are renamed one by one. */
function entriesOf(from: string, to: string, parameters: readonly string[]): Rename {
  const path = (layer: string, parameter: string): string => (layer === '' ? parameter : `${layer}.${parameter}`)
  if (!parameters.some((name) => OF_CELL.test(name))) return { [from]: to }
  return Object.fromEntries(parameters.map((name) => [path(from, name), path(to, layerName(name))]))
}
