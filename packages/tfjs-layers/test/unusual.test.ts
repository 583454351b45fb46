import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import * as tfc from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { accelerate, accelerateModel } from '../src'
import { classifier, difference, drawn, losses, output, seeded } from './numbers'

beforeAll(async () => {
  await tfc.setBackend('cpu')
})

describe('classes and layers of a user', () => {
  const LSTM = tf.layers.lstm({ units: 1, name: 'probe' }).constructor as new (options: object) => tf.layers.Layer
  class Shifted extends LSTM {
    override call(...given: Parameters<tf.layers.Layer['call']>) {
      return tfc.tidy(() => tfc.add(super.call(...given) as tfc.Tensor, 10))
    }
  }
  class Begun extends tf.RNN {
    override getInitialState(inputs: tfc.Tensor) {
      return [tfc.ones([inputs.shape[0], 4]), tfc.ones([inputs.shape[0], 4])]
    }
  }
  const options = { units: 4, inputShape: [7, 3], ...seeded(1) }
  const hooked = () => {
    const layer = tf.layers.lstm(options)
    const call = layer.call.bind(layer)
    layer.call = (...given) => tfc.mul(call(...given) as tfc.Tensor, 5)
    return layer
  }
  const kinds: [string, () => tf.layers.Layer, reason: string][] = [
    ['a class with its own call', () => new Shifted(options), 'its call is overridden'],
    ['a layer with its own call', hooked, 'its call is overridden'],
    [
      'a class that begins with another state',
      () => new Begun({ cell: tf.layers.lstmCell({ units: 4, ...seeded(1) }), inputShape: [7, 3] } as never),
      'it overrides getInitialState',
    ],
  ]

  it.each(kinds)('%s computes the same in an accelerated model, which says why not fused', (_, make, reason) => {
    const model = tf.sequential({ layers: [make()] })
    const x = drawn(1, 3, 7, 3)
    const plain = output(model, x)
    const undo = accelerateModel(model)
    expect(Array.from(output(model, x))).toEqual(Array.from(plain))
    expect(undo.report()[0]).toMatchObject({ fused: 0, original: 1, reason: expect.stringContaining(reason) })
    undo()
    expect(Array.from(output(model, x))).toEqual(Array.from(plain))
  })

  it.each(kinds)('%s computes the same while tfjs-layers is accelerated', (_, make) => {
    const model = tf.sequential({ layers: [make()] })
    const x = drawn(1, 3, 7, 3)
    const plain = output(model, x)
    const undo = accelerate(tf)
    expect(difference(output(model, x), plain)).toBeLessThan(2e-6)
    undo()
  })

  it('a layer that has something called cell and is not recurrent is left alone', () => {
    const dense = Object.assign(tf.layers.dense({ units: 3, inputShape: [7, 3] }), { cell: 16 })
    const model = tf.sequential({ layers: [dense, tf.layers.lstm({ units: 4, ...seeded(1) })] })
    const undo = accelerateModel(model)
    output(model, drawn(1, 3, 7, 3))
    expect(undo.report()).toMatchObject([{ className: 'LSTM', fused: 1 }])
    undo()
  })
})

describe('a backend whose tensors the kernels cannot read', () => {
  beforeAll(async () => {
    for (const kernel of tfc.getKernelsForBackend('cpu'))
      if (!kernel.kernelName.startsWith('Rowwise')) tfc.registerKernel({ ...kernel, backendName: 'other' })
    tfc.registerBackend('other', () => new MathBackendCPU())
    await tfc.setBackend('other')
    return async () => {
      await tfc.setBackend('cpu')
      tfc.removeBackend('other')
    }
  })

  it('computes and trains as before, bit for bit, and the report says so', async () => {
    const x = drawn(1, 3, 7, 3)
    const weights = classifier().getWeights() // the orthogonal initializer rounds otherwise while accelerated
    const run = async () => {
      const model = classifier()
      model.setWeights(weights)
      return [Array.from(output(model, x)), await losses(model, 4), Array.from(output(model, x))]
    }
    const plain = await run()
    const undo = accelerate(tf)
    expect(await run()).toEqual(plain)
    const reason = 'the kernels cannot read tensors of the other backend; wasm and cpu gain'
    for (const row of undo.report()) expect(row).toMatchObject({ fused: 0, reason })
    expect(undo.report()).toHaveLength(3)
    undo()
  })
})

describe('dropout', () => {
  it.each(['lstm', 'gru', 'simpleRNN'] as const)('of %s asks Math.random as often as tfjs-layers does', (kind) => {
    const layer = tf.layers[kind]({ units: 4, dropout: 0.5, inputShape: [7, 3], ...seeded(1) })
    const asked = () => {
      const random = vi.spyOn(Math, 'random')
      tfc.tidy(() => layer.apply(drawn(1, 3, 7, 3), { training: true }) as tfc.Tensor)
      const { length } = random.mock.calls
      random.mockRestore()
      return length
    }
    asked() // builds it
    const plain = asked()
    const undo = accelerate(tf)
    expect([plain, asked(), undo.report()[0].fused]).toEqual([plain, plain, 1])
    expect(plain).toBeGreaterThan(0)
    undo()
  })
})

describe('reports', () => {
  it('count the calls of an accelerated model in those of tfjs-layers, too', () => {
    const model = classifier()
    const [all, one] = [accelerate(tf), accelerateModel(model)]
    output(model, drawn(1, 3, 7, 3))
    expect([all, one].map((undo) => undo.report().map(({ fused }) => fused))).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    one()
    all()
  })

  it('say before training what training will not run fused', () => {
    const undo = accelerateModel(tf.layers.lstm({ units: 2, recurrentDropout: 0.3, inputShape: [3, 1] }))
    expect(undo.report()[0].reason).toBe('recurrentDropout is 0.3, which the kernels do not have in training')
  })
})
