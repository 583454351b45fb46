import '@tensorflow/tfjs-backend-cpu'
import { GRUNet, Graph, type Layer, LSTM, LSTMNet, RNNNet } from '@rowwise/models-rnn'
import { memory, setBackend, Tensor, transpose } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fromOnnx, isRowwiseError, OnnxUnsupportedError } from '../src'
import { bytesOf, difference, jsonOf, type Numbers, tensorOf } from './fixtures'

interface Case {
  inputs: Record<string, Numbers>
  outputs: Numbers[]
}

beforeAll(async () => {
  await setBackend('cpu')
})

/** What a model puts out, in the order of the file's outputs. */
function outputsOf(model: Layer, inputs: Record<string, Numbers>, isTimeFirst = false): Tensor[] {
  const given = Object.fromEntries(Object.entries(inputs).map(([name, numbers]) => [name, tensorOf(numbers)]))
  const [first] = Object.values(given)
  const x = isTimeFirst ? transpose(first, [1, 0, 2]) : first
  const found = model.forward(model instanceof Graph && Object.keys(given).length > 1 ? given : x)
  const outputs = found instanceof Tensor ? [found] : (Object.values(found) as Tensor[])
  return isTimeFirst && outputs[0].rank === 3 ? [transpose(outputs[0], [1, 0, 2]), ...outputs.slice(1)] : outputs
}

describe('fromOnnx', () => {
  const { cases } = jsonOf('cases/expected.json') as {
    cases: Record<string, { inputs: number[]; shape: number[]; logits: number[] }>
  }

  it.each(Object.entries(cases))('reads %s, with the logits of PyTorch', (name, { inputs, shape, logits }) => {
    const model = fromOnnx(bytesOf(`cases/${name}.onnx`))
    const output = model.forward(tensorOf({ data: inputs, shape })) as Tensor
    expect(difference(output.dataSync(), logits)).toBeLessThan(1e-6)
    expect([LSTMNet, GRUNet, RNNNet].some((net) => model instanceof net)).toBe(true)
  })

  it.each(Object.entries(jsonOf('pytorch/expected.json') as Record<string, Case>))(
    'reads %s, of the newer or the older exporter of PyTorch',
    (name, { inputs, outputs }) => {
      const notes: string[] = []
      const model = fromOnnx(bytesOf(`pytorch/${name}.onnx`), { onNote: (note) => notes.push(note) })
      const isTimeFirst = name.includes('tnc')
      expect(notes).toEqual(isTimeFirst ? [expect.stringContaining('reads [time, batch, features]')] : [])
      const found = outputsOf(model, inputs, isTimeFirst)
      expect(found.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
      for (const [at, { data }] of outputs.entries()) expect(difference(found[at].dataSync(), data)).toBeLessThan(1e-6)
    },
  )

  const keras = jsonOf('tf2onnx/expected.json') as Record<string, { x: Numbers; y: Numbers }>
  it.each(Object.entries(keras).filter(([name]) => name !== 'gru_before' && name !== 'td'))(
    'reads %s, which tf2onnx wrote of a Keras model',
    (name, { x, y }) => {
      const [output] = outputsOf(fromOnnx(bytesOf(`tf2onnx/${name}.onnx`)), { x })
      expect(difference(output.dataSync(), y.data)).toBeLessThan(1e-6)
    },
  )

  it.each([
    ['gru_before', ['Loop']],
    ['td', ['BatchNormalization', 'ReduceProd', 'ReduceSumSquare']],
  ])('refuses %s and lists its operations that Rowwise does not have', (name, operations) => {
    const error = caught(() => fromOnnx(bytesOf(`tf2onnx/${name}.onnx`))) as OnnxUnsupportedError
    expect(error).toBeInstanceOf(OnnxUnsupportedError)
    expect(error.operations).toEqual(operations)
    expect(error.message).toContain(operations.join(', '))
  })

  it.each([
    ['the first step', 'first-old', 'Gather'],
    ['a residual sum', 'resid-new', 'Add'],
    ['one direction of two', 'fwdonly-new', 'Slice'],
    ['a constant initial state', 'const-new', 'LSTM'],
    ['a state of another size than its weights', 'proj-new', 'LSTM'],
    ['the Softmax of all axes but the first', 'softmax-11', 'Softmax'],
    ['other axes than a view had', 'view-swapped-new', 'Reshape'],
    ['windows of its input', 'view-windows-old', 'Reshape'],
    ['axes back in another order', 'flat-swapped-new', 'Reshape'],
    ['axes back in other sizes', 'flat-halves-new', 'Reshape'],
    ['an axis made longer', 'expanded-new', 'Expand'],
    ['a state in another order', 'state-transposed-old', 'Slice'],
    ['a state as a step', 'unsqueezed-new', 'Unsqueeze'],
    ['numbers rounded to bytes', 'int8-rounded-old', 'Cast'],
    ['only whether numbers are zero', 'bool-rounded-new', 'Cast'],
    ['numbers rounded to halves', 'half-rounded-old', 'Cast'],
    ['what drops out in evaluation too', 'drops', 'Dropout'],
    ['some of the steps only', 'some-steps-old', 'Gemm'],
  ])('refuses a model that reads %s and names the operation', (_, name, operation) => {
    const error = caught(() => fromOnnx(bytesOf(`pytorch/refused/${name}.onnx`))) as OnnxUnsupportedError
    expect(error).toBeInstanceOf(OnnxUnsupportedError)
    expect(error.operations).toEqual([operation])
  })

  it.each([
    ['packed-last-old', 'last reads all steps, also those past the end of a row'],
    ['packed-then-plain-old', 'b reads all steps, also those past the end of a row'],
    ['transposed-new', 'is not what a layer puts out'],
    ['axes-rnn-new', 'its steps are not the axis that another layer has them on'],
  ])('refuses %s, which it would compute otherwise', (name, message) => {
    expect(() => fromOnnx(bytesOf(`pytorch/refused/${name}.onnx`))).toThrow(
      expect.objectContaining({ code: 'ONNX_UNSUPPORTED', message: expect.stringContaining(message) }),
    )
  })

  const names: Record<string, string[]> = {
    'two-states-old': ['output', 'hn', 'hn_2'],
    'two-heads-new': ['output', 'output_2'],
    'numbers-old': ['output', 'output_2'],
  }
  it.each(Object.entries(jsonOf('more/expected.json') as Record<string, Case>))(
    'reads %s, with the outputs of PyTorch in their order',
    (name, { inputs, outputs }) => {
      const model = fromOnnx(bytesOf(`more/${name}.onnx`))
      const found = outputsOf(model, inputs, name.includes('tnc'))
      expect(found.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
      for (const [at, { data }] of outputs.entries()) expect(difference(found[at].dataSync(), data)).toBeLessThan(1e-6)
      if (names[name]) expect(Object.keys((model as Graph).outputs)).toEqual(names[name])
    },
  )

  it('says which input has the lengths of rows', () => {
    const notes: string[] = []
    fromOnnx(bytesOf('pytorch/told-lengths.onnx'), { onNote: (note) => notes.push(note) })
    expect(notes).toContain("the file's input 'seq' has the lengths of the rows: call forward({ inputs, lengths })")
  })

  it('refuses weights that are NaN, and keeps no tensor of layers that were built before', () => {
    const before = memory().numTensors
    expect(() => fromOnnx(bytesOf('pytorch/nan-weights.onnx'))).toThrow(
      expect.objectContaining({
        code: 'ONNX_INVALID',
        message: expect.stringMatching(/^the layer fc has NaN or infinite/),
      }),
    )
    expect(memory().numTensors).toBe(before)
  })

  it('gives a recurrent layer alone as that layer, which trains', () => {
    const model = fromOnnx(bytesOf('pytorch/bare-lstm-old.onnx'))
    expect(model).toBeInstanceOf(LSTM)
    expect(Object.keys(model.parameters())).toEqual(['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'])
  })

  it("keeps PyTorch's names of layers where the file has them", () => {
    expect(Object.keys(fromOnnx(bytesOf('pytorch/lm-old.onnx')).stateDict())).toEqual([
      'emb.weight',
      ...[0, 1].flatMap((layer) =>
        ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => `lstm.${name}_l${layer}`),
      ),
      'norm.weight',
      'norm.bias',
      'fc.weight',
      'fc.bias',
    ])
  })

  it.each([
    ['an empty file', new Uint8Array(0)],
    ['text', new TextEncoder().encode('<!doctype html>')],
    ['half a file', bytesOf('cases/lstm.onnx').slice(0, 1500)],
    ['something else', 'model.onnx'],
  ])('refuses %s', (_, bytes) => {
    expect(() => fromOnnx(bytes as Uint8Array)).toThrow(expect.objectContaining({ code: 'ONNX_INVALID' }))
  })

  it('refuses altered files with its typed error, whatever was altered', () => {
    const files = [
      'cases/lstm.onnx',
      'cases/gru-older-exporter.onnx',
      'cases/rnn-tanh.onnx',
      'pytorch/lm-new.onnx',
    ].map(bytesOf)
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, (file, altered) => {
        const bytes = Uint8Array.from(file)
        for (const [at, value] of altered) bytes[at % bytes.length] = value
        const error = caught(() => fromOnnx(bytes).dispose())
        if (error !== undefined && !isRowwiseError(error)) throw error
      }),
      { numRuns: 5000 },
    )
  })
})

function caught(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
