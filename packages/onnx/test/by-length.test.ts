import '@tensorflow/tfjs-backend-cpu'
import { Embedding, GRU, Graph, Linear } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromOnnx, toOnnx } from '../src'
import { GraphWriter } from '../src/write/graph-writer'
import { difference } from './fixtures'

beforeAll(async () => {
  await setBackend('cpu')
})

/** A graph of x [N, T, 2] and lengths [N], in which a row's steps are chosen in some way. */
function graphOf(write: (writer: GraphWriter, x: string, lengths: string) => string): Uint8Array {
  const writer = new GraphWriter(17)
  const x = writer.input('x', 'float', ['batch', 'time', 2])
  const lengths = writer.input('lengths', 'int64', ['batch'])
  writer.output('output', write(writer, x, lengths), ['batch', 2])
  return writer.finish('graph', {})
}

const column = (writer: GraphWriter, value: string) => writer.one('Unsqueeze', 'column', [value, writer.integers([1])])
const minusOne = (writer: GraphWriter, value: string) => writer.one('Sub', 'last', [value, writer.integers(1)])
const picked = (writer: GraphWriter, x: string, index: string) =>
  writer.one('GatherND', 'picked', [x, index], { batch_dims: 1 })

/** The mean of the steps before `counts`, divided by `divisor`, with the mask unsqueezed at an axis. */
function mean(writer: GraphWriter, x: string, counts: string, divisor: string, axis = 2): string {
  const time = writer.one('Squeeze', 'time', [writer.one('Shape', 'shape', [x], { start: 1, end: 2 })])
  const places = writer.one('Range', 'places', [writer.integers(0), time, writer.integers(1)])
  const mask = writer.one('Unsqueeze', 'wide', [writer.one('Less', 'mask', [places, counts]), writer.integers([axis])])
  const kept = writer.one('Where', 'kept', [mask, x, writer.floats('zero', [], new Float32Array(1))])
  const total = writer.one('ReduceSum', 'total', [kept, writer.integers([1])], { keepdims: 0 })
  return writer.one('Div', 'mean', [total, writer.one('Cast', 'floats', [divisor], { to: 1 })])
}

describe('fromOnnx, of steps by length,', () => {
  it.each<[string, Parameters<typeof graphOf>[0]]>([
    ['last steps', (writer, x, lengths) => picked(writer, x, column(writer, minusOne(writer, lengths)))],
    [
      'last steps, unsqueezed first',
      (writer, x, lengths) => picked(writer, x, minusOne(writer, column(writer, lengths))),
    ],
    ['means', (writer, x, lengths) => mean(writer, x, column(writer, lengths), column(writer, lengths))],
  ])('reads %s', (_, write) => {
    const values = Float32Array.from({ length: 12 }, (_, at) => at)
    const x = tensor(values, [2, 3, 2])
    const output = fromOnnx(graphOf(write)).forward(x, { lengths: [3, 2] }) as Tensor
    expect(output.shape).toEqual([2, 2])
  })

  it.each<[string, Parameters<typeof graphOf>[0]]>([
    ['a step of any index', (writer, x, lengths) => picked(writer, x, column(writer, lengths))],
    [
      'the step before the last',
      (writer, x, lengths) => picked(writer, x, column(writer, minusOne(writer, minusOne(writer, lengths)))),
    ],
    [
      'a mean without the last step',
      (writer, x, lengths) => {
        const fewer = column(writer, minusOne(writer, lengths))
        return mean(writer, x, fewer, fewer)
      },
    ],
    [
      'a sum over other steps than it is divided by',
      (writer, x, lengths) => mean(writer, x, column(writer, lengths), column(writer, minusOne(writer, lengths))),
    ],
    ['a divisor of columns', (writer, x, lengths) => mean(writer, x, column(writer, lengths), lengths)],
    ['a mask of columns', (writer, x, lengths) => mean(writer, x, column(writer, lengths), column(writer, lengths), 1)],
  ])('refuses %s, which is something else', (_, write) => {
    expect(() => fromOnnx(graphOf(write))).toThrow(expect.objectContaining({ code: 'ONNX_UNSUPPORTED' }))
  })

  it('takes indices that are not lengths for what they are', () => {
    const writer = new GraphWriter(17)
    const ids = writer.input('ids', 'int64', ['time'])
    const batch = writer.one('Unsqueeze', 'batch', [ids, writer.integers([0])])
    const weight = writer.floats('embedding.weight', [3, 2], new Float32Array(6))
    writer.output('output', writer.one('Gather', 'vectors', [weight, batch]), [1, 'time', 2])
    expect(() => fromOnnx(writer.finish('graph', {}))).toThrow(expect.objectContaining({ code: 'ONNX_UNSUPPORTED' }))
  })

  const generator = new Generator(3)
  const gru = () => new GRU({ inputSize: 2, hiddenSize: 3, generator })
  const drawn = (time: number) => tensor(generator.uniform(new Float32Array(4 * time), -1, 1), [2, time, 2])

  it.each<[string, () => Graph, number]>([
    [
      'a decoder that is not told them',
      () =>
        new Graph({
          inputs: ['x', 'y'],
          nodes: {
            encoder: { layer: gru(), input: 'x' },
            decoder: { layer: gru(), input: 'y', initial: { h: 'encoder.hn' } },
          },
          output: 'decoder',
        }),
      5,
    ],
    [
      'two inputs that have them',
      () =>
        new Graph({
          inputs: ['x', 'y'],
          nodes: { a: { layer: gru(), input: 'x' }, b: { layer: gru(), input: 'y', lengths: true } },
          output: 'a',
          outputs: { other: 'b' },
        }),
      4,
    ],
    [
      'a sequence that is not the first input',
      () =>
        new Graph({
          inputs: ['y', 'x'],
          nodes: {
            head: { layer: new Linear({ inFeatures: 2, outFeatures: 3, generator }), input: 'y', lengths: false },
            a: { layer: gru(), input: 'x', lengths: true },
          },
          output: 'a',
          outputs: { other: 'head' },
        }),
      5,
    ],
  ])('writes and reads %s', async (_, make, time) => {
    const graph = make()
    const inputs = { x: drawn(4), y: drawn(time) }
    const numbers = (model: unknown) => {
      const found = (model as Graph).forward(inputs, { lengths: [4, 2] }) as unknown as Record<string, Tensor>
      return Object.values('dataSync' in found ? [found as unknown as Tensor] : found).map((output) =>
        output.dataSync(),
      )
    }
    const again = fromOnnx(await toOnnx(graph, { lengths: true }))
    for (const [at, expected] of numbers(graph).entries())
      expect(difference(numbers(again)[at] as Float32Array, expected as Float32Array)).toBeLessThan(1e-6)
  })

  it('keeps the vectors of an embedding apart from lengths', async () => {
    const embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 2, generator })
    expect(fromOnnx(await toOnnx(embedding, { lengths: true })).stateDict()).toHaveProperty(['layer.weight'])
  })
})
