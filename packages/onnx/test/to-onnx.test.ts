import '@tensorflow/tfjs-backend-cpu'
import {
  Dropout,
  Embedding,
  finalHidden,
  GRU,
  Graph,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  LSTMNet,
  lastStep,
  meanOverTime,
  ReLU,
  RNN,
  RNNNet,
  Sequential,
  Sigmoid,
  Softmax,
  Tanh,
} from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { mul, setBackend, Tensor, tensor } from '@tensorflow/tfjs-core'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromOnnx, onnxMetadata, type ToOnnxOptions, toOnnx } from '../src'
import { difference } from './fixtures'

beforeAll(async () => {
  await setBackend('cpu')
})

const drawn = (generator: Generator, ...shape: number[]): Tensor =>
  tensor(generator.uniform(new Float32Array(shape.reduce((a, b) => a * b, 1)), -1, 1), shape)

const listOf = (output: unknown): Tensor[] =>
  output instanceof Tensor ? [output] : (Object.values(output as object) as Tensor[])

/** What onnxruntime gives for a file. */
async function judged(bytes: Uint8Array, inputs: Record<string, Tensor | number[]>): Promise<Float32Array[]> {
  const session = await InferenceSession.create(bytes, { executionProviders: ['cpu'], intraOpNumThreads: 1 })
  const feeds = Object.entries(inputs).map(([name, value]): [string, OrtTensor] => {
    if (!(value instanceof Tensor)) return [name, new OrtTensor('int32', Int32Array.from(value), [value.length])]
    const { shape, dtype } = value
    return dtype === 'int32'
      ? [name, new OrtTensor('int64', BigInt64Array.from(value.dataSync(), BigInt), shape)]
      : [name, new OrtTensor('float32', value.dataSync<'float32'>(), shape)]
  })
  const found = await session.run(Object.fromEntries(feeds))
  await session.release()
  return session.outputNames.map((name) => found[name].data as Float32Array)
}

/** onnxruntime, and the model read back, give what the model gives. */
async function agree(model: Layer, x: Tensor, options: ToOnnxOptions = {}, lengths?: number[]): Promise<void> {
  model.eval()
  const bytes = await toOnnx(model, options)
  const context = lengths ? { lengths } : {}
  const expected = listOf(model.forward(x, context)).map((output) => output.dataSync<'float32'>())
  const outputs = await judged(bytes, { x, ...(lengths && { lengths }) })
  expect(outputs.length).toBe(expected.length)
  for (const [at, values] of expected.entries()) expect(difference(outputs[at], values)).toBeLessThan(1e-5)
  const again = listOf(fromOnnx(bytes).eval().forward(x, context))
  expect(again.length).toBe(expected.length)
  for (const [at, values] of expected.entries()) expect(difference(again[at].dataSync(), values)).toBeLessThan(1e-6)
}

/** A model of a seed: any cell, layers, directions, with what may come before and after. */
function randomModel(seed: number): { model: Layer; x: Tensor; options: ToOnnxOptions; lengths?: number[] } {
  const generator = new Generator(seed)
  const pick = <T>(...values: T[]): T => values[Math.floor(generator.uniform(new Float32Array(1), 0, values.length)[0])]
  const [batch, time, inputSize, hiddenSize] = [pick(1, 2, 5), pick(1, 3, 8), pick(1, 3, 6), pick(1, 4, 7)]
  const numLayers = pick(1, 2, 3)
  const bidirectional = pick(true, false)
  const common = { inputSize, hiddenSize, numLayers, bidirectional, bias: pick(true, true, false), generator }
  const gateActivation = pick('sigmoid', 'hard_sigmoid') as 'sigmoid'
  const recurrent = pick<() => Layer>(
    () => new LSTM({ ...common, gateActivation }),
    () => new GRU({ ...common, gateActivation, resetAfter: pick(true, false) }),
    () => new RNN({ ...common, nonlinearity: pick('tanh', 'relu') }),
  )()
  const width = hiddenSize * (bidirectional ? 2 : 1)
  const hasLengths = pick(true, false)
  const reducers = [lastStep, finalHidden, meanOverTime]
  const isWords = pick(true, false)
  const after = pick<() => Layer[]>(
    () => [],
    () => [new LayerNorm({ normalizedShape: width, eps: 1e-3 })],
    () => [pick(...reducers)()],
    () => [
      pick(...reducers)(),
      new Dropout(),
      new Linear({ inFeatures: width, outFeatures: 3, bias: pick(true, false), generator }),
    ],
    () => [
      new Linear({ inFeatures: width, outFeatures: 5, generator }),
      pick<Layer>(new Tanh(), new ReLU(), new Sigmoid(), new Softmax()),
    ],
  )()
  const before = isWords ? [new Embedding({ numEmbeddings: 9, embeddingDim: inputSize, generator })] : []
  const model = before.length + after.length === 0 ? recurrent : new Sequential(...before, recurrent, ...after)
  const words = Int32Array.from(generator.uniform(new Float32Array(batch * time), 0, 9), Math.floor)
  return {
    model,
    x: isWords ? tensor(words, [batch, time], 'int32') : drawn(generator, batch, time, inputSize),
    options: { opset: pick(17, 18, 19, 20, 21, 22), lengths: hasLengths },
    ...(hasLengths && {
      lengths: Array.from({ length: batch }, () => 1 + pick(...Array.from({ length: time }, (_, k) => k))),
    }),
  }
}

describe('toOnnx', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))(
    'writes what onnxruntime computes alike, and fromOnnx reads back: random model %i',
    async (seed) => {
      const { model, x, options, lengths } = randomModel(seed)
      await agree(model, x, options, lengths)
    },
  )

  it('leaves batch and time free', async () => {
    const model = new LSTMNet({ inputSize: 3, hiddenSize: 4, numClasses: 2 })
    const bytes = await toOnnx(model)
    for (const [batch, time] of [
      [1, 1],
      [7, 12],
    ]) {
      const x = drawn(new Generator(batch), batch, time, 3)
      const [logits] = await judged(bytes, { x })
      expect(difference(logits, model.forward(x).dataSync())).toBeLessThan(1e-6)
    }
  })

  it('writes a network whose config comes back with it', async () => {
    const model = new RNNNet({
      inputSize: 3,
      hiddenSize: 4,
      numLayers: 2,
      numClasses: 2,
      dropout: 0.3,
      nonlinearity: 'relu',
    })
    const bytes = await toOnnx(model, { metadata: { note: 'mine' } })
    expect(onnxMetadata(bytes)).toEqual({ config: JSON.stringify(model.config), note: 'mine' })
    expect((fromOnnx(bytes) as RNNNet).config).toEqual(model.config)
  })

  it('writes a graph that begins with a state and puts out the states, and reads it back', async () => {
    const generator = new Generator(3)
    const sizes = { inputSize: 3, hiddenSize: 4, numLayers: 2, generator }
    const model = new Graph({
      inputs: ['x', 'h0', 'c0'],
      nodes: {
        encoder: { layer: new LSTM(sizes), input: 'x', initial: { h: 'h0', c: 'c0' } },
        decoder: { layer: new LSTM(sizes), input: 'x', initial: { h: 'encoder.hn', c: 'encoder.cn' } },
        fc: { layer: new Linear({ inFeatures: 4, outFeatures: 2, generator }), input: 'decoder' },
      },
      output: 'fc',
      outputs: { hn: 'decoder.hn', cn: 'decoder.cn' },
    })
    const inputs = { x: drawn(generator, 5, 6, 3), h0: drawn(generator, 2, 5, 4), c0: drawn(generator, 2, 5, 4) }
    const expected = listOf(model.forward(inputs)).map((output) => output.dataSync<'float32'>())
    const bytes = await toOnnx(model)
    const outputs = await judged(bytes, inputs)
    const again = listOf(fromOnnx(bytes).forward(inputs))
    for (const [at, values] of expected.entries()) {
      expect(difference(outputs[at], values)).toBeLessThan(1e-5)
      expect(difference(again[at].dataSync(), values)).toBeLessThan(1e-6)
    }
  })

  it('writes an encoder and a decoder of other steps', async () => {
    const generator = new Generator(3)
    const gru = () => new GRU({ inputSize: 3, hiddenSize: 4, generator })
    const model = new Graph({
      inputs: ['x', 'y'],
      nodes: {
        encoder: { layer: gru(), input: 'x' },
        decoder: { layer: gru(), input: 'y', initial: { h: 'encoder.hn' } },
      },
      output: 'decoder',
    })
    for (const [steps, more] of [
      [4, 5],
      [1, 4],
    ]) {
      const inputs = { x: drawn(generator, 2, steps, 3), y: drawn(generator, 2, more, 3) }
      const [expected] = listOf(model.forward(inputs))
      const [output] = await judged(await toOnnx(model), inputs)
      expect(difference(output, expected.dataSync())).toBeLessThan(1e-5)
    }
  })

  it('writes lengths that no layer reads, and reads the model without them', async () => {
    const model = new Sequential(
      new Linear({ inFeatures: 3, outFeatures: 2 }),
      new Tanh(),
      new Linear({ inFeatures: 2, outFeatures: 1 }),
    )
    const x = drawn(new Generator(3), 5, 3)
    const again = fromOnnx(await toOnnx(model, { lengths: true }))
    expect(difference((again.forward(x) as Tensor).dataSync(), model.forward(x).dataSync())).toBeLessThan(1e-6)
  })

  it('writes a graph whose input is activated first, and whose states a layer computes', async () => {
    const generator = new Generator(3)
    const sizes = { inputSize: 3, hiddenSize: 4, generator }
    const model = new Graph({
      inputs: ['x'],
      nodes: {
        tanh: { layer: new Tanh(), input: 'x' },
        encoder: { layer: new GRU(sizes), input: 'tanh' },
        bridge: { layer: new Linear({ inFeatures: 4, outFeatures: 4, generator }), input: 'encoder.final' },
        decoder: { layer: new GRU(sizes), input: 'tanh', initial: { h: 'bridge' } },
      },
      output: 'decoder',
      outputs: { last: 'decoder.final' },
    })
    const x = drawn(generator, 5, 6, 3)
    const expected = listOf(model.forward(x)).map((output) => output.dataSync<'float32'>())
    const outputs = await judged(await toOnnx(model), { x })
    for (const [at, values] of expected.entries()) expect(difference(outputs[at], values)).toBeLessThan(1e-5)
  })

  it.each<[string, (generator: Generator) => Layer[]]>([
    ['a mean of vectors', () => [meanOverTime()]],
    ['a last step', (generator) => [lastStep(), new Linear({ inFeatures: 4, outFeatures: 2, generator })]],
    [
      'a last step of a linear layer',
      (generator) => [new Linear({ inFeatures: 4, outFeatures: 2, generator }), new Tanh(), lastStep()],
    ],
    [
      'a norm of steps and features',
      (generator) => [
        new Linear({ inFeatures: 4, outFeatures: 3, generator }),
        new LayerNorm({ normalizedShape: [5, 3] }),
      ],
    ],
  ])('writes %s, without a recurrent layer, and reads it back', async (_, make) => {
    const generator = new Generator(7)
    await agree(new Sequential(...make(generator)), drawn(generator, 3, 5, 4))
    const words = tensor([1, 2, 3, 4, 5, 6, 7, 8, 0, 0], [2, 5], 'int32')
    const embedding = new Embedding({ numEmbeddings: 9, embeddingDim: 4, generator })
    await agree(new Sequential(embedding, ...make(generator)), words)
  })

  it.each([
    ['last step', lastStep],
    ['mean', meanOverTime],
  ])('writes the %s by length, without a recurrent layer, and reads it back', async (_, reduced) => {
    const generator = new Generator(7)
    const linear = new Linear({ inFeatures: 4, outFeatures: 2, generator })
    for (const opset of [17, 18, 22]) {
      const options = { lengths: true, opset }
      await agree(new Sequential(linear, reduced()), drawn(generator, 3, 5, 4), options, [5, 1, 3])
    }
  })

  it.each<[string, () => Layer, ToOnnxOptions, string]>([
    [
      'a graph whose output is called as an input is',
      () => new Graph({ inputs: ['output'], nodes: { tanh: { layer: new Tanh(), input: 'output' } }, output: 'tanh' }),
      {},
      'output is an input and an output of the graph',
    ],
    [
      'a graph with an input that nothing reads',
      () => new Graph({ inputs: ['x', 'y'], nodes: { tanh: { layer: new Tanh(), input: 'x' } }, output: 'tanh' }),
      {},
      'the input y is read by no layer',
    ],
    [
      'a class with its own function',
      () =>
        new Sequential(
          new LSTM({ inputSize: 2, hiddenSize: 4 }),
          new (class Cube extends Tanh {
            protected override apply(x: Tensor) {
              return mul(x, mul(x, x))
            }
          })(),
        ),
      {},
      '1 is a Cube with its own forward',
    ],
    ['projections', () => new LSTM({ inputSize: 2, hiddenSize: 4, projSize: 2 }), {}, 'projections'],
    [
      'an opset that is too old',
      () => new LSTM({ inputSize: 2, hiddenSize: 4 }),
      { opset: 13 },
      'expected one from 17 to 22',
    ],
    [
      'an option that it does not have',
      () => new LSTM({ inputSize: 2, hiddenSize: 4 }),
      { batch: 1 } as ToOnnxOptions,
      'batch',
    ],
    ['something that is not a layer', () => ({}) as Layer, {}, 'expects a layer'],
  ])('refuses %s', async (_, make, options, message) => {
    await expect(toOnnx(make(), options)).rejects.toThrow(
      expect.objectContaining({ code: 'ONNX_UNSUPPORTED', message: expect.stringContaining(message) }),
    )
  })
})
