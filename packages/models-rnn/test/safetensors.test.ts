import { runInNewContext } from 'node:vm'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../src'
import { safetensorsFile as file } from './safetensors-file'

const refused = expect.objectContaining({ code: 'SAFETENSORS_INVALID' })

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('a safetensors file', () => {
  it('comes back as it was written: names, shapes, dtypes, bits and metadata', () => {
    const names = fc
      .stringMatching(/^[a-z][a-z0-9_.é]{0,20}$/)
      .filter((name) => !['constructor', 'prototype'].includes(name))
    const tensors = fc.dictionary(names, fc.float32Array({ minLength: 0, maxLength: 12 }))
    fc.assert(
      fc.property(tensors, fc.dictionary(names, fc.string()), (arrays, metadata) => {
        const written = Object.fromEntries(
          Object.entries(arrays).map(([name, data]) => [
            name,
            { dtype: 'F32' as const, shape: [data.length, 1], data },
          ]),
        )
        const read = decodeSafetensors(encodeSafetensors(written, metadata))
        expect(read.metadata).toEqual({ ...metadata })
        expect(read.tensors).toEqual({ ...written })
      }),
    )
  })

  it('holds tensors of TensorFlow.js with their dtype', () => {
    const read = decodeSafetensors(encodeSafetensors({ a: tf.tensor2d([[1, 2]]), b: tf.tensor1d([3], 'int32') }))
    expect(read.tensors).toEqual({
      a: { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, 2) },
      b: { dtype: 'I32', shape: [1], data: Int32Array.of(3) },
    })
  })

  it('has its data on a multiple of eight bytes', () => {
    const bytes = encodeSafetensors({ weight: { shape: [1], data: Float32Array.of(1) } })
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n)
  })

  it('may hold half precision, which comes as raw bits', () => {
    const bytes = file({ h: { dtype: 'F16', shape: [2], data_offsets: [0, 4] } }, 4)
    expect(decodeSafetensors(bytes).tensors.h).toEqual({ dtype: 'F16', shape: [2], data: new Uint16Array(2) })
  })

  it('may hold types without an array, which come as raw bytes', () => {
    const header = {
      c: { dtype: 'C64', shape: [1], data_offsets: [0, 8] },
      q: { dtype: 'F4', shape: [2, 3], data_offsets: [8, 11] },
    }
    const { tensors } = decodeSafetensors(file(header, 11))
    expect(tensors).toEqual({
      c: { dtype: 'C64', shape: [1], data: new Uint8Array(8) },
      q: { dtype: 'F4', shape: [2, 3], data: new Uint8Array(3) },
    })
    expect(decodeSafetensors(encodeSafetensors(tensors)).tensors).toEqual(tensors)
  })

  it('may be given as an ArrayBuffer', () => {
    const { buffer } = file({ a: f32([1], 0, 4) }, 4)
    expect(decodeSafetensors(buffer as ArrayBuffer).tensors.a.data).toEqual(new Float32Array(1))
  })

  it('may lie in memory that threads share', () => {
    const bytes = file({ a: f32([1], 0, 4) }, 4)
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    expect(decodeSafetensors(shared).tensors.a.data).toEqual(new Float32Array(1))
  })

  it('may be an array of another realm, as Jest makes them', () => {
    const bytes = file({ a: f32([1], 0, 4) }, 4)
    const foreign = runInNewContext('Uint8Array').from(bytes)
    expect(foreign).not.toBeInstanceOf(Uint8Array)
    expect(decodeSafetensors(foreign).tensors.a.data).toEqual(new Float32Array(1))
  })

  it('may list its tensors in another order than their data', () => {
    const { tensors } = decodeSafetensors(file({ b: f32([1], 4, 8), a: f32([1], 0, 4) }, 8))
    expect(Object.keys(tensors)).toEqual(['a', 'b'])
  })
})

describe('decodeSafetensors refuses', () => {
  it.each([0n, 1n, 7n, 1n << 53n, (1n << 64n) - 1n, (1n << 20n) + 1n])('the header length %s', (length) => {
    const bytes = file({ a: f32([1], 0, 4) }, 4)
    new DataView(bytes.buffer).setBigUint64(0, length, true)
    const milliseconds = Array.from({ length: 20 }, () => {
      const began = performance.now()
      expect(() => decodeSafetensors(bytes)).toThrow(refused)
      return performance.now() - began
    })
    expect(Math.min(...milliseconds)).toBeLessThan(10) // nothing is read or allocated first; the others are this machine's noise
  })

  it.each<[string, object | string, number]>([
    ['a shape whose product overflows', { a: f32([4194305, 4194305, 211106198978564], 0, 4) }, 4],
    ['a shape that needs other bytes', { a: f32([2], 0, 4) }, 4],
    ['an end before its begin', { a: f32([1], 4, 0) }, 4],
    ['a negative offset', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}', 4],
    ['a fraction', '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}', 4],
    ['a hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12],
    ['an overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12],
    ['data after the last tensor', { a: f32([1], 0, 4) }, 5],
    ['data that ends early', { a: f32([1], 0, 4) }, 3],
    ['an unknown dtype', { a: { dtype: 'F8_E4M3FN', shape: [4], data_offsets: [0, 4] } }, 4],
    ['a dtype named like an object’s property', { a: { dtype: 'toString', shape: [], data_offsets: [0, 4] } }, 4],
    ['a missing field', { a: { dtype: 'F32', shape: [1] } }, 4],
    [
      'a name that stands twice',
      '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      0,
    ],
    ['the name __proto__', '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4],
    ['the name constructor', { constructor: f32([1], 0, 4) }, 4],
    ['__proto__ in the metadata', '{"__metadata__":{"__proto__":"x"}}', 0],
    ['metadata that is no text', { __metadata__: { a: ['b'] } }, 0],
    ['metadata that is no object', { __metadata__: 'a' }, 0],
    ['deep nesting', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 0],
    ['a list for a header', '[]', 0],
    ['a header that begins with a space', ' {}', 0],
    ['text after the header', '{} x', 0],
    ['a comma too many', '{"__metadata__":{},}', 0],
    ['true and null', '{"a":true}', 0],
    ['65 axes', { a: f32(new Array(65).fill(1), 0, 4) }, 4],
  ])('%s', (_, header, dataBytes) => {
    expect(() => decodeSafetensors(file(header, dataBytes))).toThrow(refused)
    expect(({} as Record<string, unknown>).dtype).toBe(undefined)
  })

  it('100 000 entries, in a moment', () => {
    const entries = Array.from({ length: 15_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
    expect(() => decodeSafetensors(file(`{${entries.join()}}`, 0))).toThrow(/15000 tensors|header length/)
    const many = Array.from({ length: 100_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
    expect(() => decodeSafetensors(file(`{${many.join()}}`, 0))).toThrow(/header length/)
  })

  it('a header that is no UTF-8', () => {
    const bytes = file('{"a":"bc"}', 0)
    bytes[13] = 0xff
    expect(() => decodeSafetensors(bytes)).toThrow(/UTF-8/)
  })

  it('every truncation', () => {
    const bytes = encodeSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } }, { note: 'x' })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(refused)
      }),
    )
  })

  it('garbage with its own error and no other', () => {
    const jsonish = fc.stringMatching(/^[{}[\]:,"0-9a-z_ ]{0,40}$/)
    fc.assert(
      fc.property(jsonish, fc.nat(8), (text, dataBytes) => {
        let thrown: unknown
        try {
          decodeSafetensors(file(text, dataBytes))
        } catch (error) {
          thrown = error
        }
        expect(thrown === undefined || thrown instanceof SafetensorsError).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('decodeSafetensors says how to read a file, given', () => {
  it.each<[string, unknown, RegExp]>([
    ['its path', 'model.safetensors', /got the text "model\.safetensors".*await readFile\("model\.safetensors"\)/],
    [
      'its address',
      'https://host/a',
      /got the text "https:\/\/host\/a".*await fetch\("https:\/\/host\/a"\)\)\.arrayBuffer/,
    ],
    ['its file: URL', new URL('file:///tmp/a'), /got the URL "file:\/\/\/tmp\/a".*await readFile\("\/tmp\/a"\)/],
    ['a promise of it', Promise.resolve(new Uint8Array(8)), /got a Promise.*await it first/],
    ['a Blob of it', new Blob([]), /got a Blob.*await file\.arrayBuffer\(\)/],
    ['floats', new Float32Array(4), /got a Float32Array.*expected the bytes/],
    ['an object', { a: 1 }, /got an object with a, expected the bytes/],
    ['nothing', undefined, /got undefined.*await readFile/],
    ['null', null, /got null.*await readFile/],
    ['a number', 3, /got 3.*await readFile/],
  ])('%s', (_, given, message) => {
    const attempt = () => decodeSafetensors(given as never)
    expect(attempt).toThrow(refused)
    expect(attempt).toThrow(message)
  })
})

describe('encodeSafetensors refuses', () => {
  it.each(['__metadata__', '__proto__', 'constructor', 'x'.repeat(1025), 'half a pair \ud83d'])(
    'the name %s',
    (name) => {
      const tensors = Object.fromEntries([[name, { shape: [1], data: Float32Array.of(1) }]])
      expect(() => encodeSafetensors(tensors)).toThrow(refused)
    },
  )

  it('a shape that does not fit its elements', () => {
    expect(() => encodeSafetensors({ a: { shape: [3], data: Float32Array.of(1) } })).toThrow(/\[3\] but 1 elements/)
  })

  it('elements that are not of their dtype', () => {
    const wrong = { a: { dtype: 'F32', shape: [1], data: Int32Array.of(1) } } as never
    expect(() => encodeSafetensors(wrong)).toThrow(/dtype F32 but its elements are Int32Array/)
  })

  it.each<[string, unknown, RegExp]>([
    ['a list', [1, 2], /a is an Array, expected a tensor or \{ shape, data \}/],
    ['undefined', undefined, /a is undefined, expected a tensor/],
    ['a string tensor', tf.tensor1d(['x']), /a is string, expected float32, int32 or bool/],
    ['a negative shape', { shape: [-1], data: new Float32Array(1) }, /a has shape \[-1\], expected whole numbers/],
    [
      'an unknown dtype',
      { dtype: 'F7', shape: [1], data: new Float32Array(1) },
      /a has dtype F7 .* expected one of F64/,
    ],
    ['half a byte', { dtype: 'F4', shape: [1], data: new Uint8Array(1) }, /a has shape \[1\] but 1 elements/],
  ])('%s for a tensor', (_, value, message) => {
    expect(() => encodeSafetensors({ a: value } as never)).toThrow(refused)
    expect(() => encodeSafetensors({ a: value } as never)).toThrow(message)
  })

  it('a disposed tensor', () => {
    const a = tf.zeros([1])
    a.dispose()
    expect(() => encodeSafetensors({ a })).toThrow(/a is a disposed tensor/)
  })

  it('metadata that is no text', () => {
    expect(() => encodeSafetensors({}, { epoch: 3 } as never)).toThrow(/the metadata's epoch is 3, expected a text/)
  })
})
