import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  encodeSafetensors,
  Linear,
  type LoadStateDictOptions,
  LSTM,
  LSTMNet,
  Module,
  type StateDict,
  StateDictError,
} from '../src'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))
const code = (code: string) => expect.objectContaining({ code })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const original = () => new LSTMNet({ inputSize: 3, hiddenSize: 2, numLayers: 2, numClasses: 4 })
type Names = (name: string) => string

/** A state dict under other names. */
const renamed = (names: Names, dict: StateDict = original().stateDict()): StateDict =>
  Object.fromEntries(Object.entries(dict).map(([name, tensor]) => [names(name), tensor]))

const layers =
  (lstm: string, fc: string): Names =>
  (name) =>
    name.replace(/^(lstm_1|fc_1)/, (layer) => (layer === 'lstm_1' ? lstm : fc))

const load = (dict: StateDict, options: LoadStateDictOptions = {}) => {
  const notes: string[] = []
  const model = LSTMNet.fromStateDict(dict, { ...options, onNote: (note) => notes.push(note) })
  return { bytes: encodeSafetensors(model.stateDict()), notes }
}

/** The error of loading a state dict. */
const refusal = (dict: StateDict, options: LoadStateDictOptions = {}): StateDictError => {
  try {
    load(dict, options)
  } catch (error) {
    return error as StateDictError
  }
  throw new Error('it was loaded')
}

const weights = encodeSafetensors(new LSTMNet({ inputSize: 3, hiddenSize: 2, numLayers: 2, numClasses: 4 }).stateDict())

describe('prefixes of wrappers', () => {
  it.each([
    ['module', 'took module. off 6 names: prefixes of wrappers such as DataParallel and torch.compile'],
    ['orig_mod', 'took _orig_mod. off 6 names: prefixes of wrappers such as DataParallel and torch.compile'],
  ])('are taken off the names of the file %s.safetensors, said once', (name, note) => {
    const notes: string[] = []
    const model = LSTMNet.fromSafetensors(fixture(name), { onNote: (text) => notes.push(text) })
    const expected = LSTMNet.fromSafetensors(fixture('metanull'))
    expect(encodeSafetensors(model.stateDict())).toEqual(encodeSafetensors(expected.stateDict()))
    expect(notes).toEqual([note])
  })

  it('are taken off in any order, repeated, and inside of names', () => {
    const outer = fc.array(fc.constantFrom('module.', '_orig_mod.', 'model.'), { maxLength: 4 })
    const inner = fc.array(fc.constantFrom('module.', '_orig_mod.'), { maxLength: 3 })
    fc.assert(
      fc.property(outer, inner, inner, (outer, beforeLstm, beforeFc) => {
        const dict = renamed(
          (name) =>
            outer.join('') +
            name.replace('lstm_1.', `lstm_1.${beforeLstm.join('')}`).replace('fc_1.', `fc_1.${beforeFc.join('')}`),
        )
        expect(load(dict).bytes).toEqual(weights)
      }),
    )
  })

  it('are named in one note, outermost first, with the number of names', () => {
    const dict = renamed((name) => `model._orig_mod.${name.replace('lstm_1.', 'lstm_1.module.')}`)
    expect(load(dict).notes).toEqual([
      'took model. and _orig_mod. and module. off 10 names: prefixes of wrappers such as DataParallel and torch.compile',
    ])
  })

  it('are not mentioned where there are none', () => {
    expect(load(original().stateDict()).notes).toEqual([])
  })

  it('are taken off by loadStateDict as well', () => {
    const [target, notes] = [original(), [] as string[]]
    target.loadStateDict(
      renamed((name) => `module.${name}`),
      { onNote: (note) => notes.push(note) },
    )
    expect(encodeSafetensors(target.stateDict())).toEqual(weights)
    expect(notes).toHaveLength(1)
  })

  it('are refused where two names come to the same one, strict or not', () => {
    const dict = { ...original().stateDict(), ...renamed((name) => `module.${name}`) }
    const message = /names lstm_1.weight_ih_l0 and module.lstm_1.weight_ih_l0 both come to lstm_1.weight_ih_l0/
    expect(() => load(dict)).toThrow(message)
    expect(() => load(dict, { strict: false })).toThrow(message)
    expect(() => original().loadStateDict(dict)).toThrow(message)
  })

  it('give no note when loading fails', () => {
    const notes: string[] = []
    const { 'module.fc_1.bias': _, ...dict } = renamed((name) => `module.${name}`)
    expect(() => LSTMNet.fromStateDict(dict, { onNote: (note) => notes.push(note) })).toThrow(/missing fc_1.bias/)
    expect(notes).toEqual([])
  })
})

describe('a model whose own children are called like wrappers', () => {
  class Parent extends Module {
    constructor(children: Record<string, Module>) {
      super()
      for (const [name, child] of Object.entries(children)) this.registerModule(name, child)
    }
  }
  const linear = (value: number) => {
    const layer = new Linear({ inFeatures: 1, outFeatures: 1, bias: false })
    layer.loadStateDict({ weight: { shape: [1, 1], data: Float32Array.of(value) } })
    return layer
  }
  const values = (module: Module) =>
    Object.entries(module.stateDict()).map(([name, tensor]) => [name, tensor.dataSync()[0]])
  const model = (...numbers: [number, number, number]) =>
    new Parent({
      model: new Parent({ model: linear(numbers[0]), fc: linear(numbers[1]) }),
      module: new Parent({ _orig_mod: linear(numbers[2]) }),
    })
  const same = [
    ['model.model.weight', 1],
    ['model.fc.weight', 2],
    ['module._orig_mod.weight', 3],
  ]

  it('loads its own state dict untouched', () => {
    const [target, notes] = [model(7, 8, 9), [] as string[]]
    target.loadStateDict(model(1, 2, 3).stateDict(), { onNote: (note) => notes.push(note) })
    expect(values(target)).toEqual(same)
    expect(notes).toEqual([])
  })

  it.each(['module.', 'model.', '_orig_mod.', 'model.model.', 'module._orig_mod.model.'])(
    'loads it from within the wrapper %s',
    (prefix) => {
      const target = model(7, 8, 9)
      target.loadStateDict(renamed((name) => prefix + name, model(1, 2, 3).stateDict()))
      expect(values(target)).toEqual(same)
    },
  )
})

describe('layers of other names', () => {
  it.each([
    ['lstm', 'fc', "{ lstm: 'lstm_1', fc: 'fc_1' }"],
    ['rnn', 'out', "{ rnn: 'lstm_1', out: 'fc_1' }"],
    ['encoder.rnn', 'head.0', "{ 'encoder.rnn': 'lstm_1', 'head.0': 'fc_1' }"],
    ['lstm_1', 'classifier', "{ classifier: 'fc_1' }"],
    ['lstm', 'fc_1', "{ lstm: 'lstm_1' }"],
    ['fc_1', 'lstm_1', "{ fc_1: 'lstm_1', lstm_1: 'fc_1' }"],
  ])('%s and %s are refused with their names and the rename that maps them', (lstm, fc, rename) => {
    const dict = renamed(layers(lstm, fc))
    const error = refusal(dict)
    expect(error).toBeInstanceOf(StateDictError)
    expect(error.message).toContain(`the names are ${Object.keys(dict).join(', ')}`)
    expect(error.message).toContain(`pass rename: ${rename}`)
  })

  it('are loaded with that rename, whatever their names are', () => {
    const layer = fc.stringMatching(/^[a-z][a-z_]{0,5}(\.[a-z0-9]{1,3}){0,2}$/)
    const names = fc.uniqueArray(layer, { minLength: 2, maxLength: 2, selector: (name) => name.split('.')[0] })
    fc.assert(
      fc.property(names, ([lstm, fc]) => {
        const dict = renamed(layers(lstm, fc))
        expect(load(dict, { rename: refusal(dict).rename }).bytes).toEqual(weights)
      }),
    )
  })

  it('are loaded with that rename within wrappers too', () => {
    const dict = renamed((name) => `module.${layers('lstm._orig_mod', 'fc')(name)}`)
    const error = refusal(dict)
    expect(error.rename).toEqual({ lstm: 'lstm_1', fc: 'fc_1' })
    expect(load(dict, { rename: error.rename })).toEqual({
      bytes: weights,
      notes: ['took module. and _orig_mod. off 10 names: prefixes of wrappers such as DataParallel and torch.compile'],
    })
  })

  it.each([
    ['model', 'fc'],
    ['module.model', 'fc'],
    ['lstm', 'module'],
  ])('that are called %s and %s, like a wrapper, are mapped too', (lstm, fc) => {
    const dict = renamed(layers(lstm, fc))
    const { rename, message } = refusal(dict)
    expect(rename).toEqual({ [lstm]: 'lstm_1', [fc]: 'fc_1' })
    expect(message).toMatch(/'fc_1' \}$/)
    expect(load(dict, { rename }).bytes).toEqual(weights)
  })

  it('of one layer’s LSTMCell are renamed one by one', () => {
    const net = new LSTMNet({ inputSize: 3, hiddenSize: 2, numClasses: 4 })
    const dict = renamed((name) => layers('cell', 'out')(name).replace('_l0', ''), net.stateDict())
    const { rename } = refusal(dict)
    expect(rename).toMatchObject({
      'cell.weight_ih': 'lstm_1.weight_ih_l0',
      'cell.bias_hh': 'lstm_1.bias_hh_l0',
      out: 'fc_1',
    })
    expect(load(dict, { rename }).bytes).toEqual(encodeSafetensors(net.stateDict()))
  })

  it('beside further layers are mapped by the rename and strict: false', () => {
    const dict = { ...renamed(layers('lstm', 'fc')), 'conv.weight': tf.zeros([2, 2, 3]) }
    const error = refusal(dict)
    expect(error.message).toMatch(
      /rename: \{ lstm: 'lstm_1', fc: 'fc_1' \} and strict: false, which leaves out conv.weight$/,
    )
    expect(load(dict, { rename: error.rename, strict: false }).bytes).toEqual(weights)
  })

  it('get no rename where two of them fit', () => {
    const dict = {
      ...renamed(layers('lstm', 'fc')),
      ...renamed((name) => name.replace('fc_1', 'fc2'), new LSTMNet({ hiddenSize: 2, numClasses: 4 }).stateDict()),
    }
    expect(refusal(dict).rename).toBe(undefined)
  })

  it('are mapped by loadStateDict of any module', () => {
    const source = new LSTM({ inputSize: 3, hiddenSize: 2 }).stateDict()
    const target = new LSTM({ inputSize: 3, hiddenSize: 2 })
    const dict = renamed((name) => `encoder.${name}`, source)
    expect(() => target.loadStateDict(dict)).toThrow(/unexpected encoder.weight_ih_l0.*pass rename: \{ encoder: '' \}$/)
    target.loadStateDict(dict, { rename: { encoder: '' } })
    expect(encodeSafetensors(target.stateDict())).toEqual(encodeSafetensors(source))
  })

  it('are mapped by fromSafetensors', () => {
    const file = encodeSafetensors(renamed(layers('lstm', 'fc')))
    const model = LSTMNet.fromSafetensors(file, { rename: { lstm: 'lstm_1', fc: 'fc_1' } })
    expect(encodeSafetensors(model.stateDict())).toEqual(weights)
  })
})

describe('rename', () => {
  const dict = () => renamed(layers('lstm', 'fc'))
  const both = { lstm: 'lstm_1', fc: 'fc_1' }

  it('maps whole names', () => {
    const { 'fc_1.bias': bias, ...rest } = original().stateDict()
    expect(load({ ...rest, offset: bias }, { rename: { offset: 'fc_1.bias' } }).bytes).toEqual(weights)
  })

  it('maps names by the longest entry that they begin with', () => {
    const rename = { net: 'lstm_1', 'net.fc': 'fc_1' }
    expect(load(renamed(layers('net', 'net.fc')), { rename }).bytes).toEqual(weights)
  })

  it('maps two layers to each other’s names', () => {
    expect(load(renamed(layers('fc_1', 'lstm_1')), { rename: { lstm_1: 'fc_1', fc_1: 'lstm_1' } }).bytes).toEqual(
      weights,
    )
  })

  it('puts a beginning before all names by an empty entry', () => {
    const target = new Linear({ inFeatures: 1, outFeatures: 1, bias: false })
    class Parent extends Module {
      readonly child = this.registerModule('child', target)
    }
    new Parent().loadStateDict({ weight: { shape: [1, 1], data: Float32Array.of(5) } }, { rename: { '': 'child' } })
    expect([...target.stateDict().weight.dataSync()]).toEqual([5])
  })

  it('does not map a name that only begins with the same letters', () => {
    expect(() => load(renamed(layers('lstm_2', 'fc_1')), { rename: { lstm: 'lstm_1' } })).toThrow(
      /rename has the entry \{ lstm: 'lstm_1' \}, but no name of the state dict is or begins with "lstm"/,
    )
  })

  it('is refused when an entry matches nothing', () => {
    expect(() => load(dict(), { rename: { ...both, conv: 'x' } })).toThrow(/the entry \{ conv: 'x' \}, but no name/)
    expect(() => load(dict(), { rename: { ...both, conv: 'x' } })).toThrow(code('STATE_DICT_MISMATCH'))
  })

  it('is refused when it maps two names to one', () => {
    expect(() => load({ ...dict(), ...original().stateDict() }, { rename: both })).toThrow(
      /names lstm.weight_ih_l0 and lstm_1.weight_ih_l0 both come to lstm_1.weight_ih_l0/,
    )
    const { 'fc.bias': bias } = dict()
    expect(() => load({ ...dict(), a: bias, b: bias }, { rename: { ...both, a: 'c', b: 'c' } })).toThrow(
      /a and b both come to c/,
    )
  })

  it.each<[string, unknown, RegExp]>([
    ['a list', ['lstm'], /rename is an Array, expected an object of new names by old ones/],
    ['a text', 'lstm=lstm_1', /rename is the text "lstm=lstm_1"/],
    ['null', null, /rename is null/],
    ['a number for a name', { lstm: 1 }, /rename.lstm is 1, expected the new name as a text/],
  ])('is refused when it is %s', (_, rename, message) => {
    expect(() => load(dict(), { rename: rename as never })).toThrow(message)
    expect(() => load(dict(), { rename: rename as never })).toThrow(code('MODULE_OPTION'))
  })
})
