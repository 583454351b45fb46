import { createHash } from 'node:crypto'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { recurrent } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, Linear, LSTM, LSTMNet, type Safetensor, save } from '../src'

const manualSeed = (await import('../../torch-random/test/vectors/manual-seed.json', { with: { type: 'json' } }))
  .default

const code = (code: string) => expect.objectContaining({ code })
const shapes = (named: Readonly<Record<string, tf.Tensor>>) =>
  Object.fromEntries(Object.entries(named).map(([name, { shape }]) => [name, shape]))

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('LSTMNet', () => {
  it('has PyTorch’s names, shapes and order', () => {
    expect(Object.entries(shapes(new LSTMNet().stateDict()))).toEqual([
      ['lstm_1.weight_ih_l0', [256, 28]],
      ['lstm_1.weight_hh_l0', [256, 64]],
      ['lstm_1.bias_ih_l0', [256]],
      ['lstm_1.bias_hh_l0', [256]],
      ['fc_1.weight', [10, 64]],
      ['fc_1.bias', [10]],
    ])
  })

  it('names both directions of every layer', () => {
    const model = new LSTMNet({ inputSize: 3, hiddenSize: 2, numLayers: 2, bidirectional: true, bias: false })
    expect(shapes(model.parameters())).toEqual({
      'lstm_1.weight_ih_l0': [8, 3],
      'lstm_1.weight_hh_l0': [8, 2],
      'lstm_1.weight_ih_l0_reverse': [8, 3],
      'lstm_1.weight_hh_l0_reverse': [8, 2],
      'lstm_1.weight_ih_l1': [8, 4],
      'lstm_1.weight_hh_l1': [8, 2],
      'lstm_1.weight_ih_l1_reverse': [8, 4],
      'lstm_1.weight_hh_l1_reverse': [8, 2],
      'fc_1.weight': [10, 4],
      'fc_1.bias': [10],
    })
  })

  it('says in its summary what the layers are and how many parameters they have', () => {
    expect(new LSTMNet().summary()).toMatch(
      /lstm_1 +LSTM +\[N, T, 28\] -> \[N, T, 64\] +24064 .* kernels, \d+ thread.*\nlast +LastStep .*\nfc_1 +Linear +\[…, 64\] -> \[…, 10\] +650 .*\ntotal +24714$/,
    )
  })

  it('is rebuilt from any state dict of its own, whatever its shape', () => {
    const config = fc.record({
      inputSize: fc.integer({ min: 1, max: 5 }),
      hiddenSize: fc.integer({ min: 1, max: 5 }),
      numLayers: fc.integer({ min: 1, max: 3 }),
      numClasses: fc.integer({ min: 1, max: 4 }),
      bias: fc.boolean(),
      bidirectional: fc.boolean(),
    })
    fc.assert(
      fc.property(config, fc.nat(), (config, seed) => {
        const model = new LSTMNet({ ...config, generator: new Generator(seed) })
        const { tensors } = decodeSafetensors(encodeSafetensors(model.stateDict()))
        const rebuilt = LSTMNet.fromStateDict(tensors)
        expect(rebuilt.config).toEqual(model.config)
        expect(encodeSafetensors(rebuilt.stateDict())).toEqual(encodeSafetensors(model.stateDict()))
        model.dispose()
        rebuilt.dispose()
      }),
      { numRuns: 30 },
    )
  })

  it('comes back from its safetensors file with everything that shapes do not show', async () => {
    const model = new LSTMNet({ inputSize: 3, hiddenSize: 2, numLayers: 2, dropout: 0.25 })
    const again = LSTMNet.fromSafetensors(await save(model, { metadata: { note: 'x' } }))
    expect(again.config).toEqual(model.config)
    expect(await save(again)).toEqual(await save(model))
  })

  it('refuses a file whose config is not that of its weights', () => {
    const model = new LSTMNet({ inputSize: 3, hiddenSize: 2 })
    const config = JSON.stringify({ ...model.config, hiddenSize: 5 })
    const file = encodeSafetensors(model.stateDict(), { config })
    expect(() => LSTMNet.fromSafetensors(file)).toThrow(/config says hiddenSize 5/)
  })

  it('refuses sizes that do not agree before it allocates anything of them', () => {
    const empty = { shape: [0, 1e12], data: new Float32Array(0) }
    const dict = { ...new LSTMNet({ inputSize: 3, hiddenSize: 2 }).stateDict(), 'lstm_1.weight_ih_l0': empty }
    expect(() => LSTMNet.fromStateDict(dict)).toThrow(code('STATE_DICT_MISMATCH'))
  })

  it.each(manualSeed)('starts with PyTorch’s weights for seed $seed, to the bit', ({ seed, config, init }) => {
    const { i = 28, h = 64, layers = 1, classes = 10 } = config as Record<string, number | undefined>
    const generator = new Generator(seed)
    const model = new LSTMNet({ inputSize: i, hiddenSize: h, numLayers: layers, numClasses: classes, generator })
    const digests = Object.entries(model.stateDict()).map(([name, { shape, dataSync }]) => {
      const values = dataSync.call(model.stateDict()[name]) as Float32Array
      return [
        name,
        {
          shape,
          sha256: createHash('sha256')
            .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
            .digest('hex'),
        },
      ]
    })
    const expected = Object.entries(init).map(([name, { shape, sha256 }]) => [name, { shape, sha256 }])
    expect(digests).toEqual(expected)
  })

  it('leaves only its logits behind', () => {
    const model = new LSTMNet({ inputSize: 4, hiddenSize: 3, bidirectional: true, numLayers: 2 })
    const inputs = tf.zeros<tf.Rank.R3>([2, 3, 4])
    const before = tf.memory().numTensors
    const logits = model.forward(inputs)
    expect([logits.shape, tf.memory().numTensors - before]).toEqual([[2, 10], 1])
  })

  it('frees everything that it made when it is disposed', () => {
    const before = tf.memory().numTensors
    new LSTMNet({ numLayers: 2 }).dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses a state dict of another model', () => {
    expect(() => LSTMNet.fromStateDict({ 'conv.weight': tf.zeros([3, 3]) })).toThrow(code('STATE_DICT_MISMATCH'))
  })
})

describe('loadStateDict', () => {
  const dict = () => {
    const { tensors } = decodeSafetensors(encodeSafetensors(new LSTMNet({ inputSize: 2, hiddenSize: 1 }).stateDict()))
    return tensors as Record<string, Safetensor<'F32'>>
  }
  const model = () => new LSTMNet({ inputSize: 2, hiddenSize: 1, generator: new Generator(9) })

  it('names everything that is missing, unexpected or of another shape, and changes nothing', () => {
    const target = model()
    const before = encodeSafetensors(target.stateDict())
    const { 'fc_1.bias': _, ...rest } = dict()
    const wrong = {
      ...rest,
      extra: rest['fc_1.weight'],
      'lstm_1.bias_ih_l0': { shape: [3], data: new Float32Array(3) },
    }
    expect(() => target.loadStateDict(wrong)).toThrow(
      /missing fc_1.bias; unexpected extra; lstm_1.bias_ih_l0 has shape \[3\], the model's has \[4\]/,
    )
    expect(encodeSafetensors(target.stateDict())).toEqual(before)
  })

  it('takes what there is when it is not strict', () => {
    const target = model()
    target.loadStateDict({ 'fc_1.bias': { shape: [10], data: new Float32Array(10).fill(7) } }, { strict: false })
    expect(target.stateDict()['fc_1.bias'].dataSync()[3]).toBe(7)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s, unless it is allowed', (bad) => {
    const weights = dict()
    weights['fc_1.bias'].data[2] = bad
    expect(() => model().loadStateDict(weights)).toThrow(/fc_1.bias has NaN or infinite weights; pass allowNonFinite/)
    const target = model()
    target.loadStateDict(weights, { allowNonFinite: true })
    expect(target.stateDict()['fc_1.bias'].dataSync()[2]).toBe(bad)
  })

  it('keeps a copy, so that the source may change', () => {
    const [weights, target] = [dict(), model()]
    target.loadStateDict(weights)
    const first = weights['fc_1.bias'].data[0]
    weights['fc_1.bias'].data[0] = 99
    expect(target.stateDict()['fc_1.bias'].dataSync()[0]).toBe(first)
  })
})

describe('LSTM', () => {
  const layer = (options: object = {}) =>
    new LSTM({ inputSize: 3, hiddenSize: 4, generator: new Generator(1), ...options })
  const sequence = (time: number) => tf.tensor3d(new Generator(2).uniform(new Float32Array(2 * time * 3)), [2, time, 3])

  it('continues from a state as if the sequence had not been cut', () => {
    const model = layer({ numLayers: 2 })
    const whole = sequence(6)
    const { hn, cn, output } = model.forward(whole)
    const head = model.forward(tf.slice(whole, [0, 0, 0], [-1, 4, -1]))
    const tail = model.forward(tf.slice(whole, [0, 4, 0], [-1, 2, -1]), {
      initial: { h: head.hn, c: head.cn },
    })
    expect(tail.hn.dataSync()).toEqual(hn.dataSync())
    expect(tail.cn.dataSync()).toEqual(cn.dataSync())
    expect(tail.output.arraySync()[1][1]).toEqual(output.arraySync()[1][5])
  })

  it('reads backwards what it would read forwards in a reversed sequence', () => {
    const [weightIh, weightHh] = Object.values(layer({ bias: false }).parameters()) as unknown as tf.Tensor2D[]
    const inputs = sequence(5)
    const backward = recurrent(inputs, { weightIh, weightHh }, { cell: 'lstm', reverse: true })
    const forward = recurrent(tf.reverse(inputs, 1), { weightIh, weightHh }, { cell: 'lstm' })
    expect(backward.h.dataSync()).toEqual(forward.h.dataSync())
    expect((backward.output as tf.Tensor3D).dataSync()).toEqual(tf.reverse(forward.output as tf.Tensor3D, 1).dataSync())
  })

  it('drops outputs between layers in training only, with masks from its generator', () => {
    const run = (train: boolean, seed: number) => {
      const model = layer({ numLayers: 2, dropout: 0.5, generator: new Generator(seed) }).train(train)
      return [...model.forward(sequence(3)).hn.dataSync()]
    }
    expect(run(true, 5)).toEqual(run(true, 5))
    expect(run(true, 5)).not.toEqual(run(false, 5))
    expect(run(false, 5)).toEqual([
      ...layer({ numLayers: 2, generator: new Generator(5) })
        .forward(sequence(3))
        .hn.dataSync(),
    ])
  })

  it('refuses an initial state of another shape', () => {
    const h = tf.zeros<tf.Rank.R3>([1, 3, 4])
    expect(() => layer().forward(sequence(2), { initial: { h, c: h } })).toThrow(
      /initial.h has shape \[1,3,4\], expected \[1,2,4\]/,
    )
  })

  it('refuses an empty sequence', () => {
    expect(() => layer().forward(tf.zeros([2, 0, 3]))).toThrow(code('SHAPE_MISMATCH'))
  })
})

describe('Linear', () => {
  const linear = () => {
    const layer = new Linear({ inFeatures: 2, outFeatures: 3 })
    layer.loadStateDict({
      weight: { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      bias: { shape: [3], data: Float32Array.of(0.5, 0, -1) },
    })
    return layer
  }

  it('is x·Wᵀ + b', () => {
    expect(
      linear()
        .forward(tf.tensor2d([[1, -1]]))
        .arraySync(),
    ).toEqual([[-0.5, -1, -2]])
  })

  it('keeps every axis but the last', () => {
    expect(linear().forward(tf.zeros([4, 5, 2])).shape).toEqual([4, 5, 3])
    expect(
      linear()
        .forward(tf.tensor1d([1, -1]))
        .arraySync(),
    ).toEqual([-0.5, -1, -2])
  })

  it('refuses another last axis', () => {
    expect(() => linear().forward(tf.zeros([4, 3]))).toThrow(/inputs has shape \[4,3\], Linear expects \[..., 2\]/)
  })
})
