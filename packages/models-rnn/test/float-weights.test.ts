import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, Linear, LSTMNet, type SafetensorsDtype } from '../src'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))
const code = (code: string) => expect.objectContaining({ code })

/** The weights that a layer has after loading these numbers, one row for each. */
function loaded(dtype: SafetensorsDtype, data: Uint16Array | Float64Array, allowNonFinite = true): Float32Array {
  const layer = new Linear({ inFeatures: 1, outFeatures: data.length, bias: false })
  layer.loadStateDict({ weight: { dtype, shape: [data.length, 1], data } }, { allowNonFinite })
  const values = layer.stateDict().weight.dataSync<'float32'>()
  layer.dispose()
  return values
}

/** The number that an IEEE format of so many exponent and fraction bits gives these bits, by the definition. */
function numberOf(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> (exponentBits + fractionBits) ? -1 : 1
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1)
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  const bias = 2 ** (exponentBits - 1) - 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias)
}

const patterns = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('weights of other floats are converted to float32', () => {
  it('from every one of the 65 536 values of F16, subnormals, infinities, NaN and −0 too', () => {
    expect(loaded('F16', patterns)).toEqual(Float32Array.from(patterns, (bits) => numberOf(bits, 5, 10)))
  })

  it('from every one of the 65 536 values of BF16', () => {
    expect(loaded('BF16', patterns)).toEqual(Float32Array.from(patterns, (bits) => numberOf(bits, 8, 7)))
  })

  it('from F64 by rounding to the nearest', () => {
    const values = Float64Array.of(0.1, -0, 1e-45, 1 + 2 ** -24, 1 + 3 * 2 ** -24, 3.4e38, -1e-300)
    expect([...loaded('F64', values)]).toEqual([...values].map(Math.fround))
  })

  it('and refused where a value of F64 is too large for float32', () => {
    expect(() => loaded('F64', Float64Array.of(1e300), false)).toThrow(
      /weight has NaN or infinite weights, or some too large for float32/,
    )
  })

  it.each(['F16', 'BF16'] as const)('and refused where %s has an infinity', (dtype) => {
    const infinity = { F16: 0x7c00, BF16: 0x7f80 }[dtype]
    expect(() => loaded(dtype, Uint16Array.of(infinity), false)).toThrow(
      /weight has NaN or infinite weights; pass allow/,
    )
  })

  it.each([
    ['float16', 2 ** -11],
    ['bfloat16', 2 ** -8],
  ])('so that the file %s.safetensors gives the weights of the float32 file, rounded', (name, rounding) => {
    const exact = LSTMNet.fromSafetensors(fixture('metanull')).stateDict()
    const found = LSTMNet.fromSafetensors(fixture(name)).stateDict()
    const errors = Object.keys(exact).flatMap((weight) => {
      const expected = exact[weight].dataSync()
      return [...found[weight].dataSync()].map(
        (value, i) => Math.abs(value - expected[i]) / Math.max(Math.abs(expected[i]), 2 ** -14),
      )
    })
    expect(Math.max(...errors)).toBeLessThanOrEqual(rounding)
    expect(Math.max(...errors)).toBeGreaterThan(rounding / 4)
  })

  it('in a file in which they differ by tensor', () => {
    const { tensors } = decodeSafetensors(encodeSafetensors(new LSTMNet({ inputSize: 2, hiddenSize: 1 }).stateDict()))
    const bias = { dtype: 'F64', shape: [10], data: new Float64Array(10).fill(0.5) } as const
    const weight = { dtype: 'F16', shape: [10, 1], data: new Uint16Array(10).fill(0x3800) } as const
    const model = LSTMNet.fromSafetensors(encodeSafetensors({ ...tensors, 'fc_1.bias': bias, 'fc_1.weight': weight }))
    expect([...model.stateDict()['fc_1.bias'].dataSync()]).toEqual(new Array(10).fill(0.5))
    expect([...model.stateDict()['fc_1.weight'].dataSync()]).toEqual(new Array(10).fill(0.5))
  })
})

describe('tensors beside the model’s', () => {
  const notes = (tensors: object, options: object = {}) => {
    const found: string[] = []
    const weights = new LSTMNet({ inputSize: 2, hiddenSize: 1 }).stateDict()
    LSTMNet.fromStateDict({ ...weights, ...tensors }, { ...options, onNote: (note) => found.push(note) }).dispose()
    return found
  }

  it.each([
    ['extra_complex64', 'left alone q (C64): not weights of LSTMNet'],
    ['extra_float8_e4m3fn', 'left alone q (F8_E4M3): not weights of LSTMNet'],
  ])('are left alone in the file %s.safetensors, with a note', (name, note) => {
    const found: string[] = []
    const model = LSTMNet.fromSafetensors(fixture(name), { onNote: (text) => found.push(text) })
    expect(encodeSafetensors(model.stateDict())).toEqual(
      encodeSafetensors(LSTMNet.fromSafetensors(fixture('metanull')).stateDict()),
    )
    expect(found).toEqual([note])
  })

  it.each(
    // biome-ignore format: a list
    ['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'],
  )('are left alone when they are %s', (dtype) => {
    const data = dtype === 'I8' ? new Int8Array(4) : new Uint8Array(4)
    expect(notes({ q: { dtype, shape: [4], data } })).toEqual([`left alone q (${dtype}): not weights of LSTMNet`])
  })

  it('are left alone when they are counters, quantised in part of a byte, or integer tensors', () => {
    const counter = { dtype: 'I64', shape: [], data: new BigInt64Array(1) }
    const packed = { dtype: 'F4', shape: [2], data: new Uint8Array(1) }
    const steps = tf.tensor1d([1], 'int32')
    expect(notes({ 'bn.num_batches_tracked': counter, packed, steps })).toEqual([
      'left alone bn.num_batches_tracked (I64), packed (F4), steps (int32): not weights of LSTMNet',
    ])
  })

  it.each([
    ['F16', new Uint16Array(1)],
    ['BF16', new Uint16Array(1)],
    ['F32', new Float32Array(1)],
    ['F64', new Float64Array(1)],
  ])('are refused when they are floats of the type %s', (dtype, data) => {
    expect(() => notes({ q: { dtype, shape: [1], data } })).toThrow(/unexpected q$/)
  })

  it('are all left alone when loading is not strict, with a note', () => {
    expect(notes({ q: { shape: [1], data: new Float32Array(1) } }, { strict: false })).toEqual([
      'left alone q (F32): not weights of LSTMNet',
    ])
  })

  it('are not taken for the model’s own when those are no floats', () => {
    const bias = { dtype: 'F8_E4M3', shape: [10], data: new Uint8Array(10) }
    expect(() => notes({ 'fc_1.bias': bias })).toThrow(
      /fc_1\.bias is F8_E4M3, expected floats; convert it with \.float\(\)/,
    )
    expect(() => notes({ 'fc_1.bias': bias })).toThrow(code('STATE_DICT_MISMATCH'))
  })
})
