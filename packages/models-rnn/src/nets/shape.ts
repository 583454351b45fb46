import { GATES } from '@rowwise/rnn-kernels'
import { type StateDict, showName, showNames } from '@rowwise/safetensors'
import { StateDictError } from '../errors'
import { cellOf } from '../state-dict/cell-kind'
import { type Entry, readEntries } from '../state-dict/entries'
import { misfit } from '../state-dict/fit'
import { nameEntries } from '../state-dict/name-entries'
import { type Rename, renameAll } from '../state-dict/rename'
import { layerName, layersOf, suggestRename } from '../state-dict/suggest-rename'
import { withoutWrappers } from '../state-dict/wrappers'
import type { NetKind } from './net-kind'
import { type NetShape, netParameters } from './parameters'

type Shapes = ReadonlyMap<string, readonly number[]>

/**
 * Reads every size of the network of this kind that a state dict belongs to from its names and shapes.
 *
 * @throws {@link StateDictError} that says what the state dict holds instead, and which rename would help.
 */
export function netShape(kind: NetKind, stateDict: StateDict, rename?: Rename): NetShape {
  const entries = readEntries(stateDict)
  const { matched, others } = nameEntries(entries, ownNames(kind, [...entries.keys()], rename), rename)
  const problems = [...matched].flatMap(([name, entry]) => {
    const problem = entry.problem ?? rankProblem(name, entry)
    return problem === undefined ? [] : [`${showName(name)} ${problem}`]
  })
  if (problems.length > 0) throw misfit(kind.owner, problems, undefined, [])
  const layers = layersOf([...shapesOf(matched), ...shapesOf(others)])
  const recurrent = findRecurrent(kind, layers, [...entries.keys()])
  const shape = readRecurrent(kind, recurrent, layers.get(recurrent) as Shapes)
  const classifier = layers.get('fc_1')?.get('weight')
  if (recurrent === kind.layer && classifier?.length === 2) return withClasses(kind, shape, classifier)
  throw otherNames(kind, entries, others, layers, shape, rename)
}

/** The names of the network that a state dict has, perhaps within wrappers. */
function ownNames({ layer }: NetKind, names: readonly string[], rename: Rename = {}): Set<string> {
  const own = new RegExp(`^(${layer}\\.(weight|bias)_(ih|hh)_l\\d+(_reverse)?|fc_1\\.(weight|bias))$`)
  const plain = [...renameAll(names, rename).values()].map(({ name }) => withoutWrappers(name))
  return new Set(plain.filter((name) => own.test(name)))
}

function rankProblem(name: string, { shape }: Entry): string | undefined {
  const rank = name.includes('.weight') ? 2 : 1
  return shape.length === rank ? undefined : `has shape [${shape}], expected ${rank === 2 ? 'a matrix' : 'one axis'}`
}

function shapesOf(entries: ReadonlyMap<string, Entry>): [string, readonly number[]][] {
  return [...entries].map(([name, { shape }]) => [withoutWrappers(name), shape])
}

/** The layer with the parameters of the cell, or of one like it: the one with our name, else the only one. */
function findRecurrent(
  { owner, layer: own, module }: NetKind,
  layers: ReadonlyMap<string, Shapes>,
  names: readonly string[],
): string {
  const recurrent = [...layers].filter(([, shapes]) => hidden(shapes)?.length === 2).map(([layer]) => layer)
  if (recurrent.includes(own)) return own
  if (recurrent.length === 1) return recurrent[0]
  const found = names.length === 0 ? 'it is empty' : `its names are ${showNames(names)}`
  throw new StateDictError(
    recurrent.length === 0
      ? `the state dict has no ${module}, no matrices …weight_ih_l0 and …weight_hh_l0: ${found}; is it another model's?`
      : `the state dict has several recurrent layers, ${showNames(recurrent)}, ${owner} has one, ${own}; is it another model's?`,
  )
}

function hidden(shapes: Shapes): readonly number[] | undefined {
  const isMatrix = (shapes.get('weight_ih_l0') ?? shapes.get('weight_ih'))?.length === 2
  return isMatrix ? (shapes.get('weight_hh_l0') ?? shapes.get('weight_hh')) : undefined
}

/** The sizes of a recurrent layer of the names and shapes of its parameters. */
function readRecurrent(
  { owner, module, cell }: NetKind,
  layer: string,
  parameters: Shapes,
): Omit<NetShape, 'numClasses'> {
  const shapes = new Map([...parameters].map(([name, shape]) => [layerName(name), shape]))
  const [ofInputs, ofHidden] = ['weight_ih_l0', 'weight_hh_l0'].map((name) => shapes.get(name) as readonly number[])
  const label = layer === '' ? 'the state dict' : `${showName(layer)} of the state dict`
  const fix = `${owner} takes the weights of torch.nn.${module}: train one and save it, or build this model of your own layers`
  const gates = GATES[cell]
  if (shapes.has('weight_hr_l0')) {
    throw new StateDictError(`${label} is an LSTM with projections (proj_size), which ${owner} does not have; ${fix}`)
  }
  const [rows, hiddenSize] = ofHidden
  const wanted = cellOf([gates, 1]) as { gates: string; cell: string }
  const other = rows === ofInputs[0] ? cellOf(ofHidden) : undefined
  if (other !== undefined && other.cell !== wanted.cell) {
    throw new StateDictError(
      `${label} is ${other.cell}, not ${wanted.cell}: its weight_hh_l0 [${ofHidden}] has ${other.gates} for each of ${hiddenSize} units, ` +
        `${wanted.cell} has ${wanted.gates.split(' ')[0]}; ${fix}`,
    )
  }
  if (ofInputs[0] !== rows || rows !== gates * hiddenSize || rows * ofInputs[1] === 0) {
    throw new StateDictError(
      `${label} has weight_ih_l0 of shape [${ofInputs}] and weight_hh_l0 [${ofHidden}]; ${wanted.cell} has [${gates}·H, inputSize] and [${gates}·H, H]`,
    )
  }
  return {
    inputSize: ofInputs[1],
    hiddenSize,
    numLayers: [...shapes.keys()].filter((name) => /^weight_ih_l\d+$/.test(name)).length,
    bias: shapes.has('bias_ih_l0'),
    bidirectional: shapes.has('weight_ih_l0_reverse'),
  }
}

function withClasses({ owner }: NetKind, shape: Omit<NetShape, 'numClasses'>, classifier: readonly number[]): NetShape {
  const [numClasses] = classifier
  if (numClasses === 0) {
    throw new StateDictError(`fc_1.weight has shape [${classifier}], ${owner} has at least one class`)
  }
  return { ...shape, numClasses }
}

/** The error about a recurrent and a linear layer that go by other names than the network's. */
function otherNames(
  kind: NetKind,
  entries: ReadonlyMap<string, Entry>,
  others: ReadonlyMap<string, Entry>,
  layers: ReadonlyMap<string, Shapes>,
  shape: Omit<NetShape, 'numClasses'>,
  rename: Rename | undefined,
): StateDictError {
  const width = shape.hiddenSize * (shape.bidirectional ? 2 : 1)
  const classifiers = [...layers.values()]
    .map((shapes) => shapes.get('weight') ?? [])
    .filter(([classes, columns]) => classes > 0 && columns === width)
  const suggestions = classifiers.flatMap(([numClasses]) => {
    const found = suggestRename(netParameters(kind, { ...shape, numClasses }), entries)
    return found === undefined ? [] : [found]
  })
  const missing = [`${kind.layer}.weight_ih_l0`, 'fc_1.weight'].filter((name) => {
    const [layer, parameter] = name.split('.')
    return layers.get(layer)?.get(parameter)?.length !== 2
  })
  const problems = [
    `no matrix ${missing.join(' and no matrix ')}`,
    `the names are ${showNames([...entries.keys()])}`,
    ...(classifiers.length === 0
      ? [
          `no linear layer [classes, ${width}] after the ${kind.module} (one alone is loaded by ${kind.module}.loadStateDict)`,
        ]
      : []),
  ]
  const isCertain = suggestions.length === 1 && rename === undefined
  const floats = [...others].filter(([, { floats }]) => floats).map(([name]) => name)
  return misfit(kind.owner, problems, isCertain ? suggestions[0] : undefined, floats)
}
