import '@tensorflow/tfjs-backend-cpu'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { asNet, Embedding, Linear, LSTM, LSTMNet, lastStep, load, Module, Sequential, save } from '../src'

const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })
const linear = (outFeatures = 2, inFeatures = 2) => new Linear({ inFeatures, outFeatures })
const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync())

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('a linear layer with the weight of an embedding', () => {
  const make = () => {
    const generator = new Generator(1)
    const encoder = new Embedding({ numEmbeddings: 5, embeddingDim: 3, generator })
    const weight = encoder.parameters().weight
    const decoder = new Linear({ inFeatures: 3, outFeatures: 5, weight, generator })
    return { encoder, decoder, model: new Sequential({ encoder, decoder }) }
  }

  it('has it under both names in the state dict, and once among the parameters', () => {
    const { model } = make()
    expect(Object.keys(model.parameters())).toEqual(['encoder.weight', 'decoder.bias'])
    expect(Object.keys(model.stateDict())).toEqual(['encoder.weight', 'decoder.weight', 'decoder.bias'])
  })

  it('draws as PyTorch does, which draws a weight and ties it afterwards', () => {
    const [drawn, generator] = [make().decoder, new Generator(1)]
    new Embedding({ numEmbeddings: 5, embeddingDim: 3, generator })
    const own = new Linear({ inFeatures: 3, outFeatures: 5, generator })
    expect(values(drawn.stateDict().bias)).toEqual(values(own.stateDict().bias))
  })

  it('is loaded from a file that has it once, under either name', () => {
    const from = make().model.stateDict()
    for (const left of ['encoder.weight', 'decoder.weight']) {
      const { model } = make()
      for (const parameter of Object.values(model.parameters())) parameter.assign(tf.zerosLike(parameter))
      model.loadStateDict(Object.fromEntries(Object.entries(from).filter(([name]) => name !== left)))
      expect(values(model.stateDict()['encoder.weight'])).toEqual(values(from['encoder.weight']))
    }
  })

  it('leaves it to the embedding when it is disposed', () => {
    const { encoder, decoder } = make()
    decoder.dispose()
    expect(encoder.forward(tf.tensor1d([1], 'int32')).shape).toEqual([1, 3])
    encoder.dispose()
  })

  it('is refused where the shapes differ, or it is none', () => {
    const { encoder } = make()
    const { weight } = encoder.parameters()
    expect(() => new Linear({ inFeatures: 5, outFeatures: 3, weight })).toThrow(
      code('MODULE_STRUCTURE', /weight is of shape \[5,3\], expected a parameter of another module of shape \[3,5\]/),
    )
    expect(() => new Linear({ inFeatures: 5, outFeatures: 3, weight: [1] as never })).toThrow(
      code('MODULE_STRUCTURE', /no variable/),
    )
  })
})

describe('replaceModule', () => {
  class Classifier extends Module {
    body = this.registerModule('body', linear())
    fc = this.registerModule('fc', linear(10))
    tail = this.registerModule('tail', linear())
    forClasses(count: number, name = 'fc') {
      this.fc = this.replaceModule(name, linear(count))
    }
    again() {
      this.fc = this.registerModule('fc', linear())
    }
  }

  it('takes another module instead of a child, in the same order', () => {
    const model = new Classifier()
    model.forClasses(3)
    expect(Object.entries(model.parameters()).map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
      ...['body.weight 2,2', 'body.bias 2', 'fc.weight 3,2', 'fc.bias 3', 'tail.weight 2,2', 'tail.bias 2'],
    ])
  })

  it('is refused by layers that are fixed, with what to do instead', () => {
    class Few extends LSTMNet {
      withoutClasses() {
        return this.replaceModule('fc_1')
      }
    }
    expect(() => new Few({}).withoutClasses()).toThrow(code('MODULE_STRUCTURE', /fixed layers; make a new one of them/))
  })

  it('is named by the errors of those who do without it, and refuses what is not there', () => {
    const model = new Classifier()
    expect(() => model.again()).toThrow(code('MODULE_STRUCTURE', /already has 'fc'.*this\.replaceModule\('fc', …\)/))
    expect(() => model.forClasses(3, 'head')).toThrow(code('MODULE_STRUCTURE', /no module 'head'.* body, fc, tail/))
    model.fc = linear()
    expect(() => model.parameters()).toThrow(
      code('MODULE_STRUCTURE', /write this\.fc = this\.replaceModule\('fc', …\)/),
    )
  })
})

describe('a subclass of a network', () => {
  it('whose constructor does not pass its options on is refused by fromStateDict', () => {
    class Fixed extends LSTMNet {
      static override readonly name = 'Fixed'
      constructor() {
        super({ inputSize: 3, hiddenSize: 8, numClasses: 2 })
      }
    }
    const state = new LSTMNet({ inputSize: 3, hiddenSize: 4, numClasses: 2 }).stateDict()
    const before = tf.memory().numTensors
    expect(() => Fixed.fromStateDict(state)).toThrow(
      code('STATE_DICT_MISMATCH', /Fixed made lstm_1\.weight_ih_l0 of shape \[32,3\], the state dict's is \[16,3\]/),
    )
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('a subclass with an additional part', () => {
  it('is made by fromStateDict', () => {
    class Two extends LSTMNet {
      readonly extra = this.registerModule('extra', linear())
    }
    const state = new LSTMNet({ inputSize: 3, hiddenSize: 4, numClasses: 2 }).stateDict()
    expect(Object.keys(Two.fromStateDict(state).parameters())).toContain('extra.weight')
  })
})

describe('save', () => {
  it('writes the config of networks, and leaves a field of that name alone', async () => {
    class Own extends Module {
      readonly fc = this.registerModule('fc', linear())
      constructor(readonly config: object) {
        super()
      }
    }
    const model = new Own({ seed: 1n, generator: new Generator(0) })
    const again = load(new Own({}), await save(model))
    expect(values(again.fc.stateDict().weight)).toEqual(values(model.fc.stateDict().weight))
  })
})

describe('asNet', () => {
  const make = () => {
    const lstm = new LSTM({ inputSize: 3, hiddenSize: 4, numLayers: 2, dropout: 0.5 })
    return { lstm, model: new Sequential(lstm, lastStep(), linear(2, 4)) }
  }

  it('keeps modes, and what is frozen', () => {
    const { lstm, model } = make()
    lstm.parameters().bias_hh_l0.trainable = false
    model.train().namedChildren()[0][1].eval()
    const net = asNet(model)
    expect([net?.training, ...(net?.namedChildren() ?? []).map(([, { training }]) => training)]).toEqual([
      ...[true, false, true, true],
    ])
    const frozen = Object.entries(net?.parameters() ?? {}).filter(([, { trainable }]) => !trainable)
    expect(frozen.map(([name]) => name)).toEqual(['lstm_1.bias_hh_l0'])
  })

  it('leaves a layer that overrides forward alone', () => {
    class Doubled extends LSTM {
      override forward(...given: Parameters<LSTM['forward']>) {
        const outputs = super.forward(...given)
        return { ...outputs, output: tf.mul(outputs.output, 2) as tf.Tensor3D }
      }
    }
    expect(
      asNet(new Sequential(new Doubled({ inputSize: 3, hiddenSize: 4 }), lastStep(), linear(2, 4))),
    ).toBeUndefined()
  })
})
