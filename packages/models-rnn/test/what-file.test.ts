import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, LSTMNet, SafetensorsError } from '../src'

const fixture = (name: string) => readFileSync(new URL(`fixtures/other-formats/${name}`, import.meta.url))
const text = (content: string) => new TextEncoder().encode(content)
const latin1 = (content: string) => Uint8Array.from(content, (character) => character.charCodeAt(0))

/** A zip of empty files. */
function zip(names: string[], comment = ''): Uint8Array {
  const header = (signature: string, fields: number, name: string) =>
    `PK${signature}${'\0'.repeat(fields)}${String.fromCharCode(name.length)}\0${'\0'.repeat(signature === '\x01\x02' ? 16 : 2)}${name}`
  const local = names.map((name) => header('\x03\x04', 22, name)).join('')
  const central = names.map((name) => header('\x01\x02', 24, name)).join('')
  const [low, high] = [local.length & 0xff, local.length >> 8]
  const end = `PK\x05\x06${'\0'.repeat(12)}${String.fromCharCode(low, high)}\0\0${String.fromCharCode(comment.length)}\0`
  return latin1(local + central + end + comment)
}

const saved = "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 99352\n`

describe('a file of weights that is not safetensors is named, with what to do', () => {
  it.each<[string, Uint8Array, string, string]>([
    ['a .pt file of torch.save', fixture('checkpoint.pt'), 'a PyTorch checkpoint (a pickle in a zip)', saved],
    ['a .pth file of the older torch.save', fixture('legacy.pth'), 'a PyTorch checkpoint (a pickle, as', saved],
    ['a TorchScript file', zip(['m/data.pkl', 'm/code/__torch__.py']), 'a TorchScript model', saved],
    ['a .pt2 file of torch.export', zip(['m/models/model.json', 'm/archive_format']), 'a PyTorch program', saved],
    ['another pickle', fixture('other.pickle'), 'a Python pickle', saved],
    ['an ONNX file', fixture('lstm.onnx'), 'an ONNX model', saved],
    ['an ONNX file of the older exporter', fixture('lstm-older-exporter.onnx'), 'an ONNX model', saved],
    ['a Git LFS pointer', text(pointer), 'a Git LFS pointer', 'git lfs pull'],
    ['an HTML page', text('\n<!DOCTYPE html>\n<html></html>'), 'an HTML page', 'download the file itself'],
    ['an HTML page without doctype', text('<html lang="en">'), 'an HTML page', 'download the file itself'],
    ['an XML error', text('\ufeff<?xml version="1.0"?><Error/>'), 'an XML document', 'fetch it again'],
    ['a JSON file', text('{"lstm_1.weight_ih_l0": [[0.1]]}'), 'a JSON file', 'pass a safetensors file'],
    ['a short JSON file', text('[]'), 'a JSON file', 'pass a safetensors file'],
    ['a model.json of TensorFlow.js', fixture('tfjs-model.json'), 'a TensorFlow.js model', 'save_file(arrays'],
    ['an index of shards', text('{"metadata": {}, "weight_map": {}}'), 'the index (JSON)', 'save it whole'],
    ['an .h5 file', fixture('weights.h5'), 'an HDF5 file', 'safetensors.numpy.save_file(arrays'],
    ['a .keras file', fixture('model.keras'), 'a Keras model (.keras)', 'safetensors.numpy.save_file(arrays'],
    ['a .npy file', fixture('array.npy'), 'a NumPy array (.npy)', 'safetensors.numpy.save_file(arrays'],
    ['an .npz file', fixture('arrays.npz'), 'a NumPy archive (.npz)', 'safetensors.numpy.save_file(arrays'],
    ['a GGUF file', fixture('model.gguf'), 'a GGUF model', saved],
    ['a TensorFlow Lite file', latin1('\x1c\0\0\0TFL3\0\0\0\0'), 'a TensorFlow Lite model', 'safetensors.numpy'],
    ['a SavedModel', latin1('\x08\x01\x12\x80\x01\x0a\x05graph'), 'a TensorFlow SavedModel', 'safetensors.numpy'],
    ['another zip', zip(['a.txt', 'b.txt', 'c', 'd']), 'a zip archive with "a.txt", "b.txt", "c", …', 'unpack it'],
    ['an empty zip', zip([]), 'a zip archive,', 'unpack it'],
    ['a zip with a comment', zip(['x/data.pkl'], 'hello'), 'a PyTorch checkpoint', saved],
    ['a gzip file', gzipSync('weights'), 'a gzip file', 'unpack it'],
    ['an xz file', latin1('\xfd7zXZ\0\0\x04'), 'an xz file', 'unpack it'],
    ['a tar archive', latin1(`${'model\0'.padEnd(257, '\0')}ustar\x0000`), 'a tar archive', 'unpack it'],
    ['a PNG image', fixture('image.png'), 'a PNG image', 'holds no weights'],
    ['a JPEG image', latin1('\xff\xd8\xff\xe0\0\x10JFIF'), 'a JPEG image', 'holds no weights'],
    ['an IDX file', latin1('\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c\0\0\0\x1c'), 'an IDX file', 'holds no weights'],
    ['a PDF document', text('%PDF-1.7\n'), 'a PDF document', 'holds no weights'],
    [
      'a text of a server',
      text('Entry not found\n'),
      'a text file that begins with "Entry not found"',
      'fetch it again',
    ],
    ['a text in UTF-16', latin1('\xff\xfe{\0"\0a\0"\0'), 'text in UTF-16', 'save or fetch it again'],
    ['an empty file', new Uint8Array(0), 'empty', 'save or fetch it again'],
  ])('%s', (_, bytes, what, advice) => {
    const message = expect.stringContaining(`the file is ${what}`)
    const refused = expect.objectContaining({ code: 'SAFETENSORS_INVALID', message })
    expect(() => decodeSafetensors(bytes)).toThrow(refused)
    expect(() => LSTMNet.fromSafetensors(bytes)).toThrow(advice)
  })

  it('also where it was cut, as long as its signature is there', () => {
    const cut = (name: string) => fixture(name).subarray(0, 200)
    expect(() => decodeSafetensors(cut('checkpoint.pt'))).toThrow('a PyTorch checkpoint (a pickle in a zip)')
    expect(() => decodeSafetensors(cut('lstm.onnx'))).toThrow('an ONNX model')
    expect(() => decodeSafetensors(cut('weights.h5'))).toThrow('an HDF5 file')
  })

  it('on one line that steers no terminal, whatever it contains', () => {
    const bytes = text('403\u202e forbidden')
    expect(() => decodeSafetensors(bytes)).toThrow('begins with "403\\u202e forbidden"')
  })

  it.each(['checkpoint.pt', 'model.keras', 'lstm.onnx', 'legacy.pth', 'tfjs-model.json'])(
    'with a SafetensorsError for every beginning of %s',
    (name) => {
      const bytes = fixture(name)
      fc.assert(
        fc.property(fc.nat(Math.min(bytes.length, 4096)), (length) => {
          expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(SafetensorsError)
        }),
      )
    },
  )

  it('with a SafetensorsError for a zip or a model whose numbers lie', () => {
    const containers = ['checkpoint.pt', 'model.keras', 'lstm.onnx', 'arrays.npz'].map((name) => fixture(name))
    fc.assert(
      fc.property(fc.constantFrom(...containers), fc.nat(4095), fc.nat(255), (container, at, byte) => {
        const damaged = new Uint8Array(container)
        damaged[at % damaged.length] = byte
        expect(() => decodeSafetensors(damaged)).toThrow(SafetensorsError)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a safetensors file that was damaged is not taken for another format', () => {
  it('when it ends in its header', () => {
    const bytes = encodeSafetensors({ a: { shape: [1], data: Float32Array.of(1) } })
    expect(() => decodeSafetensors(bytes.subarray(0, 20))).toThrow('the file ends in its header, so fetch it again')
  })

  it('when its header length begins like a gzip file', () => {
    const bytes = new Uint8Array(64)
    bytes.set([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0x7b])
    expect(() => decodeSafetensors(bytes)).toThrow('the header length is 559903')
  })
})
