import { type StateDict, showName, showNames } from '@rowwise/safetensors'
import { StateDictError } from '../errors'
import { type LSTMNetShape, lstmNetParameters } from '../lstm-net-parameters'
import { otherCell } from './cell-kind'
import { type Entry, readEntries } from './entries'
import { misfit } from './fit'
import { nameEntries } from './name-entries'
import { type Rename, renameAll } from './rename'
import { layerName, layersOf, suggestRename } from './suggest-rename'
import { withoutWrappers } from './wrappers'

const OWNER = 'LSTMNet'
const OWN_NAMES = /^(lstm_1\.(weight|bias)_(ih|hh)_l\d+(_reverse)?|fc_1\.(weight|bias))$/

type Shapes = ReadonlyMap<string, readonly number[]>

/**
 * Reads every size of the LSTMNet that a state dict belongs to from its names and shapes.
 *
 * @throws {@link StateDictError} that says what the state dict holds instead, and which rename would help.
 */
export function lstmNetShape(stateDict: StateDict, rename?: Rename): LSTMNetShape {
  const entries = readEntries(stateDict)
  const { matched, others } = nameEntries(entries, ownNames([...entries.keys()], rename), rename)
  const problems = [...matched].flatMap(([name, entry]) => {
    const problem = entry.problem ?? rankProblem(name, entry)
    return problem === undefined ? [] : [`${showName(name)} ${problem}`]
  })
  if (problems.length > 0) throw misfit(OWNER, problems, undefined, [])
  const layers = layersOf([...shapesOf(matched), ...shapesOf(others)])
  const lstm = findLSTM(layers, [...entries.keys()])
  const shape = readLSTM(lstm, layers.get(lstm) as Shapes)
  const classifier = layers.get('fc_1')?.get('weight')
  if (lstm === 'lstm_1' && classifier?.length === 2) return withClasses(shape, classifier)
  throw otherNames(entries, others, layers, shape, rename)
}

/** The names of an LSTMNet that a state dict has, perhaps within wrappers. */
function ownNames(names: readonly string[], rename: Rename = {}): Set<string> {
  const plain = [...renameAll(names, rename).values()].map(({ name }) => withoutWrappers(name))
  return new Set(plain.filter((name) => OWN_NAMES.test(name)))
}

function rankProblem(name: string, { shape }: Entry): string | undefined {
  const rank = name.includes('.weight') ? 2 : 1
  return shape.length === rank ? undefined : `has shape [${shape}], expected ${rank === 2 ? 'a matrix' : 'one axis'}`
}

function shapesOf(entries: ReadonlyMap<string, Entry>): [string, readonly number[]][] {
  return [...entries].map(([name, { shape }]) => [withoutWrappers(name), shape])
}

/** The layer with the parameters of an LSTM, or of a cell like it: the one with our name, else the only one. */
function findLSTM(layers: ReadonlyMap<string, Shapes>, names: readonly string[]): string {
  const recurrent = [...layers].filter(([, shapes]) => hidden(shapes)?.length === 2).map(([layer]) => layer)
  if (recurrent.includes('lstm_1')) return 'lstm_1'
  if (recurrent.length === 1) return recurrent[0]
  const found = names.length === 0 ? 'it is empty' : `its names are ${showNames(names)}`
  throw new StateDictError(
    recurrent.length === 0
      ? `the state dict has no LSTM, no matrices …weight_ih_l0 and …weight_hh_l0: ${found}; is it another model's?`
      : `the state dict has several recurrent layers, ${showNames(recurrent)}, an ${OWNER} has one, lstm_1; is it another model's?`,
  )
}

function hidden(shapes: Shapes): readonly number[] | undefined {
  const isMatrix = (shapes.get('weight_ih_l0') ?? shapes.get('weight_ih'))?.length === 2
  return isMatrix ? (shapes.get('weight_hh_l0') ?? shapes.get('weight_hh')) : undefined
}

/** The sizes of an LSTM of the names and shapes of its parameters. */
function readLSTM(layer: string, parameters: Shapes): Omit<LSTMNetShape, 'numClasses'> {
  const shapes = new Map([...parameters].map(([name, shape]) => [layerName(name), shape]))
  const [ofInputs, ofHidden] = ['weight_ih_l0', 'weight_hh_l0'].map((name) => shapes.get(name) as readonly number[])
  const label = layer === '' ? 'the state dict' : `${showName(layer)} of the state dict`
  const fix = `${OWNER} takes the weights of torch.nn.LSTM: train one and save it, or build this model of your own layers`
  if (shapes.has('weight_hr_l0')) {
    throw new StateDictError(`${label} is an LSTM with projections (proj_size), which ${OWNER} does not have; ${fix}`)
  }
  const [rows, hiddenSize] = ofHidden
  const other = rows === ofInputs[0] ? otherCell(ofHidden) : undefined
  if (other !== undefined) {
    throw new StateDictError(
      `${label} is ${other.cell}, not an LSTM: its weight_hh_l0 [${ofHidden}] has ${other.gates} for each of ${hiddenSize} units, ` +
        `an LSTM has four; ${fix}`,
    )
  }
  if (ofInputs[0] !== rows || rows !== 4 * hiddenSize || rows * ofInputs[1] === 0) {
    throw new StateDictError(
      `${label} has weight_ih_l0 of shape [${ofInputs}] and weight_hh_l0 [${ofHidden}]; an LSTM has [4·H, inputSize] and [4·H, H]`,
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

function withClasses(shape: Omit<LSTMNetShape, 'numClasses'>, classifier: readonly number[]): LSTMNetShape {
  const [numClasses] = classifier
  if (numClasses === 0) {
    throw new StateDictError(`fc_1.weight has shape [${classifier}], an ${OWNER} has at least one class`)
  }
  return { ...shape, numClasses }
}

/** The error about an LSTM and a linear layer that go by other names than an LSTMNet's. */
function otherNames(
  entries: ReadonlyMap<string, Entry>,
  others: ReadonlyMap<string, Entry>,
  layers: ReadonlyMap<string, Shapes>,
  shape: Omit<LSTMNetShape, 'numClasses'>,
  rename: Rename | undefined,
): StateDictError {
  const width = shape.hiddenSize * (shape.bidirectional ? 2 : 1)
  const classifiers = [...layers.values()]
    .map((shapes) => shapes.get('weight') ?? [])
    .filter(([classes, columns]) => classes > 0 && columns === width)
  const suggestions = classifiers.flatMap(([numClasses]) => {
    const found = suggestRename(lstmNetParameters(OWNER, { ...shape, numClasses }), entries)
    return found === undefined ? [] : [found]
  })
  const missing = ['lstm_1.weight_ih_l0', 'fc_1.weight'].filter((name) => {
    const [layer, parameter] = name.split('.')
    return layers.get(layer)?.get(parameter)?.length !== 2
  })
  const problems = [
    `no matrix ${missing.join(' and no matrix ')}`,
    `the names are ${showNames([...entries.keys()])}`,
    ...(classifiers.length === 0
      ? [`no linear layer [classes, ${width}] after the LSTM (one alone is loaded by LSTM.loadStateDict)`]
      : []),
  ]
  const isCertain = suggestions.length === 1 && rename === undefined
  const floats = [...others].filter(([, { floats }]) => floats).map(([name]) => name)
  return misfit(OWNER, problems, isCertain ? suggestions[0] : undefined, floats)
}
