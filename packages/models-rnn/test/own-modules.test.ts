import '@tensorflow/tfjs-backend-cpu'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { GRU, Layer, Linear, LSTM, lastStep, load, Module, Sequential, save } from '../src'

const code = (code: string) => expect.objectContaining({ code })
const linear = () => new Linear({ inFeatures: 2, outFeatures: 3 })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('a module of one’s own', () => {
  class Encoder extends Module {
    private readonly lstm = this.registerModule('lstm', new LSTM({ inputSize: 2, hiddenSize: 3 }))
    private readonly heads = [0, 1].map((head) => this.registerModule(`head_${head}`, linear3(head)))
    readonly scale = this.registerParameter('scale', Float32Array.of(2), [1])

    forward({ x, mask }: { x: tf.Tensor3D; mask: tf.Tensor3D }): tf.Tensor[] {
      const { output } = this.lstm.forward(tf.mul(x, mask))
      return this.heads.map((head) => tf.mul(head.forward(output), this.scale))
    }
  }
  const linear3 = (seed: number) => new Linear({ inFeatures: 3, outFeatures: 1, generator: new Generator(seed) })

  it('has its own parameters first, then those of its children under their names', () => {
    expect(Object.keys(new Encoder().parameters())).toEqual([
      'scale',
      ...['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'].map((name) => `lstm.${name}`),
      ...['head_0.weight', 'head_0.bias', 'head_1.weight', 'head_1.bias'],
    ])
  })

  it('is saved, loaded, summed up, frozen and disposed as any other', async () => {
    const before = tf.memory().numTensors
    const [model, other] = [new Encoder(), new Encoder()]
    model.parameters().scale.assign(tf.tensor1d([5]))
    const file = await save(model)
    expect(await save(load(other, file))).toEqual(file)
    expect(model.summary()).toMatch(/Encoder +1\n.*lstm +LSTM +\[N, T, 2\] -> \[N, T, 3\] +84 .*\nhead_0 +Linear/)
    model.requiresGrad(false)
    expect(Object.values(model.parameters()).some(({ trainable }) => trainable)).toBe(false)
    expect(model.summary()).toMatch(/total +93 +93 of them frozen$/)
    expect(model.requiresGrad().parameters().scale.trainable).toBe(true)
    tf.dispose([model, other].map((each) => each.dispose() as never))
    expect(tf.memory().numTensors - before).toBe(1) // the 5
  })

  it.each<[string, () => Module, RegExp]>([
    [
      'a module that is not registered',
      () =>
        new (class Forgetful extends Module {
          readonly fc = linear()
        })(),
      /Forgetful\.fc holds the module Linear that is not registered.*write this\.fc = this\.registerModule\('fc', …\)/,
    ],
    [
      'a list with one',
      () =>
        new (class Forgetful extends Module {
          readonly layers = [linear()]
        })(),
      /Forgetful\.layers holds the module Linear/,
    ],
    [
      'an object with a Map of one',
      () =>
        new (class Forgetful extends Module {
          readonly parts = { heads: new Map([['a', [linear()]]]) }
        })(),
      /Forgetful\.parts holds the module Linear/,
    ],
    [
      'a variable that is not registered',
      () =>
        new (class Forgetful extends Module {
          readonly scale = tf.variable(tf.scalar(1))
        })(),
      /Forgetful\.scale holds a variable.*registerParameter\('scale', …\)/,
    ],
  ])('with %s is refused by what would leave it out', (_, make, message) => {
    const model = make()
    for (const use of [() => model.parameters(), () => model.stateDict(), () => model.loadStateDict({})]) {
      expect(use).toThrow(code('MODULE_STRUCTURE'))
      expect(use).toThrow(message)
    }
  })

  it('whose registered part was replaced later is refused too', () => {
    class Replaced extends Module {
      fc = this.registerModule('fc', linear())
    }
    const model = new Replaced()
    expect(Object.keys(model.parameters())).toEqual(['fc.weight', 'fc.bias'])
    model.fc = linear()
    expect(() => model.parameters()).toThrow(/Replaced\.fc holds the module Linear that is not registered/)
  })

  it.each<[string, (model: Naming) => unknown, RegExp]>([
    ['twice for modules', (model) => [model.add('a'), model.add('a')], /Naming already has 'a'/],
    ['for a module and a parameter', (model) => [model.add('a'), model.parameter('a')], /Naming already has 'a'/],
    ['with a dot', (model) => model.add('a.b'), /"a\.b" cannot be a name/],
    ['that is empty', (model) => model.parameter(''), /"" cannot be a name/],
    ['that every object has', (model) => model.parameter('constructor'), /"constructor" cannot be a name/],
    ['of a module that it is a part of', (model) => model.circle(), /b has the module itself among its parts/],
  ])('refuses a name %s', (_, use, message) => {
    expect(() => use(new Naming())).toThrow(code('MODULE_STRUCTURE'))
    expect(() => use(new Naming())).toThrow(message)
  })

  class Naming extends Module {
    add(name: string) {
      return this.registerModule(name, linear())
    }
    parameter(name: string) {
      return this.registerParameter(name, Float32Array.of(1), [1])
    }
    circle() {
      const part = new Naming()
      part.registerModule('a', this)
      return this.registerModule('b', part)
    }
  }

  it.each([[[0.5, 2]], [[-1, -1]], [1]])('refuses a parameter of shape %j', (shape) => {
    class Odd extends Module {
      readonly scale = this.registerParameter('scale', Float32Array.of(1), shape as number[])
    }
    expect(() => new Odd()).toThrow(code('MODULE_STRUCTURE'))
    expect(() => new Odd()).toThrow(/scale wants a Float32Array and its shape, whole numbers of at least 0/)
  })

  it('refuses a parameter of other values than its shape has', () => {
    const make = () =>
      new (class Short extends Module {
        readonly scale = this.registerParameter('scale', Float32Array.of(1, 2), [3])
      })()
    expect(make).toThrow(code('MODULE_STRUCTURE'))
    expect(make).toThrow('Short: scale has 2 values, expected 3 for [3]')
  })

  it('refuses a module of another copy of the package, registered or in a field', () => {
    const foreign = { [Symbol.for('@rowwise/module')]: true } as unknown as Module
    class Mixed extends Module {
      part: Module | undefined
      add() {
        this.part = this.registerModule('part', foreign)
      }
    }
    const model = new Mixed()
    expect(() => model.add()).toThrow(code('MODULE_STRUCTURE'))
    expect(() => model.add()).toThrow(/part is a module of another copy of @rowwise\/models-rnn/)
    model.part = foreign
    expect(() => model.parameters()).toThrow(code('MODULE_STRUCTURE'))
  })

  it('refuses a name that a file cannot have', () => {
    class Odd extends Module {
      readonly scale = this.registerParameter('prototype', Float32Array.of(1), [1])
    }
    expect(() => new Odd()).toThrow(code('MODULE_STRUCTURE'))
  })

  it('shares a parameter under one name in parameters(), under both in the state dict', () => {
    const shared = linear()
    const model = new Sequential({ a: shared, b: shared })
    expect(Object.keys(model.parameters())).toEqual(['a.weight', 'a.bias'])
    expect(Object.keys(model.stateDict())).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias'])
    expect(model.summary()).toMatch(/total +9$/)
  })
})

class Encoded extends Module {}

describe('Sequential', () => {
  it('names layers by their places, or as an object says', () => {
    expect(Object.keys(new Sequential(linear(), linear()).stateDict())).toEqual([
      ...['0.weight', '0.bias', '1.weight', '1.bias'],
    ])
    expect(Object.keys(new Sequential({ head: linear() }).stateDict())).toEqual(['head.weight', 'head.bias'])
  })

  it.each<[string, () => unknown, RegExp]>([
    ['nothing', () => new Sequential(), /got no layer/],
    [
      'what is no layer',
      () => new Sequential(linear(), ((x: unknown) => x) as never),
      /1 is a function, expected a layer/,
    ],
    [
      'a module that is no layer',
      () => new Sequential(new Encoded() as never),
      /0 is a Encoded, a Module, expected a layer/,
    ],
    ['an array', () => new Sequential([linear()] as never), /0 is an Array, expected a layer/],
    ['tf.layers', () => new Sequential({ a: { apply() {} } } as never), /a is an object with apply, expected a layer/],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(code('MODULE_STRUCTURE'))
    expect(make).toThrow(message)
  })

  it('names the layer that inputs do not fit, however deep', () => {
    const net = new Sequential({ encoder: new Sequential({ lstm_1: new LSTM({ inputSize: 4, hiddenSize: 3 }) }) })
    expect(() => net.forward(tf.zeros([5, 8]))).toThrow(
      'inputs has shape [5,8], encoder.lstm_1 (LSTM, inputSize 4) expects [batch, time, 4], none of them 0; reshape it, e.g. to [5, 2, 4]',
    )
    const next = new Sequential({ gru: new GRU({ inputSize: 4, hiddenSize: 3 }), last: lastStep(), fc: linear() })
    expect(() => next.forward(tf.zeros([5, 2, 4]))).toThrow(
      /inputs has shape \[5,3\], fc \(Linear\) expects \[\.\.\., 2\]/,
    )
  })

  it.each<[string, unknown, RegExp]>([
    ['too few', [1, 2], /lengths has 2 entries, expected one integer for each of the 3 rows/],
    ['too long', [1, 2, 5], /lengths\[2\] is 5, expected an integer from 1 to 4/],
    ['zero', [0, 1, 1], /lengths\[0\] is 0/],
    ['broken', [1.5, 1, 1], /lengths\[0\] is 1\.5/],
    ['floats of a tensor', () => tf.tensor1d([1, 2, 3]), /lengths is a tensor of dtype float32, expected int32/],
    ['no list', 7, /lengths is 7, expected one integer for each/],
    ['null', null, /lengths is null, expected one integer for each/],
  ])('refuses lengths that are %s', (_, given, message) => {
    const net = new Sequential(new LSTM({ inputSize: 2, hiddenSize: 3 }), lastStep())
    const lengths = typeof given === 'function' ? given() : given
    expect(() => net.forward({ inputs: tf.zeros([3, 4, 2]), lengths })).toThrow(code('LENGTHS_INVALID'))
    expect(() => net.forward({ inputs: tf.zeros([3, 4, 2]), lengths })).toThrow(message)
  })

  it('refuses lengths that come twice', () => {
    const net = new Sequential(new LSTM({ inputSize: 2, hiddenSize: 3 }))
    const inputs = { inputs: tf.zeros([1, 4, 2]), lengths: [3] }
    expect(() => net.forward(inputs, { lengths: [2] })).toThrow(code('LENGTHS_INVALID'))
  })

  it('refuses what it does not read beside inputs and lengths', () => {
    const net = new Sequential(new LSTM({ inputSize: 2, hiddenSize: 3 }))
    const inputs = { inputs: tf.zeros([3, 4, 2]), lengths: [1, 1, 1], mask: 1 }
    expect(() => net.forward(inputs as never)).toThrow(/no option 'mask'/)
  })

  it('passes lengths to layers of the user’s', () => {
    const seen: unknown[] = []
    class Spy extends Layer {
      forward(inputs: tf.Tensor, context: object) {
        seen.push(context)
        return inputs
      }
    }
    new Sequential(new Spy(), new Spy()).forward({ inputs: tf.zeros([2, 3, 1]), lengths: [3, 1] })
    expect(seen).toEqual([{ lengths: Int32Array.of(3, 1) }, { lengths: Int32Array.of(3, 1) }])
  })
})
