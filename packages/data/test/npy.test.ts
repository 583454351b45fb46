import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ByteSource, parseNpy, readNpy, TensorDataset } from '@rowwise/data'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** A NumPy file. */
function npy(header: string, data: ArrayBufferView = new Uint8Array(0), version = 1): Uint8Array {
  const prefix = version === 1 ? 10 : 12
  const text = `${header.padEnd(63 - ((prefix + header.length) % 64) + header.length)}\n`
  const bytes = new Uint8Array(prefix + text.length + data.byteLength)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, text.length, true)
  else view.setUint32(8, text.length, true)
  bytes.set(new TextEncoder().encode(text), prefix)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), prefix + text.length)
  return bytes
}

const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`
const code = (message: RegExp) =>
  expect.objectContaining({ code: 'NPY_INVALID', message: expect.stringMatching(message) })

describe('readNpy', () => {
  // Made by NumPy 2.4: numpy.save of arange(6, dtype='<f4').reshape(2, 3) / 4
  const saved =
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8='

  it('reads what NumPy saved', async () => {
    const column = await readNpy([Buffer.from(saved, 'base64')])
    expect(column).toEqual({ data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25), shape: [2, 3] })
    expect(new TensorDataset({ inputs: column, targets: column }).length).toBe(2)
  })

  it.each<[string, (bytes: Buffer) => ByteSource]>([
    ['a Buffer', (bytes) => bytes],
    ['an ArrayBuffer', (bytes) => Uint8Array.from(bytes).buffer],
    ['a Blob', (bytes) => new Blob([Uint8Array.from(bytes)])],
    [
      'a file: URL',
      (bytes) => {
        const file = join(mkdtempSync(join(tmpdir(), 'rowwise-npy-')), 'a.npy')
        writeFileSync(file, bytes)
        return pathToFileURL(file)
      },
    ],
  ])('reads it from %s', async (_, from) => {
    expect((await readNpy(from(Buffer.from(saved, 'base64')))).shape).toEqual([2, 3])
  })

  it.each([
    [new URL('https://example.org/a.npy'), /is not fetched here; pass the content: \(await fetch\(url\)\)\.body/],
    [7, /the source is number, expected the name of a file, its bytes, a Blob, or chunks/],
  ])('refuses %s as a source', async (source, message) => {
    await expect(readNpy(source as ByteSource)).rejects.toThrow(message)
  })

  it.each<[string, ArrayBufferView, ArrayBufferView]>([
    ['<f8', Float64Array.of(0.1, -2), Float64Array.of(0.1, -2)],
    ['<i8', BigInt64Array.of(5n, -(2n ** 31n)), Int32Array.of(5, -(2 ** 31))],
    ['<i4', Int32Array.of(-1, 2), Int32Array.of(-1, 2)],
    ['<i2', Int16Array.of(-1, 2), Int16Array.of(-1, 2)],
    ['<u2', Uint16Array.of(1, 65535), Uint16Array.of(1, 65535)],
    ['|i1', Int8Array.of(-1, 2), Int8Array.of(-1, 2)],
    ['|u1', Uint8Array.of(1, 255), Uint8Array.of(1, 255)],
    ['|b1', Uint8Array.of(1, 0), Uint8Array.of(1, 0)],
  ])('reads %s, in every version of the format', (descr, data, expected) => {
    for (const version of [1, 2, 3]) {
      expect(parseNpy(npy(header(descr, '(2,)'), data, version))).toEqual({ data: expected, shape: [2] })
    }
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['another file', new TextEncoder().encode('a,b\n1,2\n3,4\n'), /does not begin as a NumPy file/],
    ['a version to come', npy(header('<f4', '(1,)'), Float32Array.of(1), 4), /version at offset 6 is 4/],
    ['another dtype', npy(header('<c8', '(1,)'), new Uint8Array(8)), /dtype is <c8, expected one of <f4/],
    ['big-endian numbers', npy(header('>f4', '(1,)'), new Uint8Array(4)), /dtype is >f4/],
    ['Fortran order', npy(header('<f4', '(1, 2)', 'True'), new Uint8Array(8)), /ascontiguousarray/],
    [
      'a cut file',
      npy(header('<f4', '(3,)'), new Uint8Array(8)),
      /shape \(3\) of <f4 needs 12 bytes from offset 128, the file has 8/,
    ],
    ['no shape', npy("{'descr': '<f4', 'fortran_order': False}"), /expected descr, fortran_order and shape/],
    ['a number that is too large', npy(header('<i8', '(1,)'), BigInt64Array.of(2n ** 31n)), /number 0 is 2147483648/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseNpy(bytes)).toThrow(code(message))
  })

  it('refuses every truncation, and reads or refuses any damaged byte', () => {
    const whole = Buffer.from(saved, 'base64')
    for (let end = 0; end < whole.length; end++) expect(() => parseNpy(whole.subarray(0, end))).toThrow(code(/./))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Uint8Array.from(whole)
        damaged[at] = byte
        try {
          expect(parseNpy(damaged).data.length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toEqual(code(/./))
        }
      }),
      { numRuns: 300 },
    )
  })
})
