import { decodeUtf8 } from '@rowwise/host'
import { isOnnx, zipNames } from './containers'
import { quote } from './show'

/** What a file is that is not safetensors, and what to do to get weights that are. */
export interface ForeignFile {
  /** With its article, to stand after "the file is". */
  what: string
  /** An instruction. */
  advice: string
}

const HEAD_BYTES = 512 // signatures are in the first bytes; texts are told by their beginning
const JSON_BYTES = 1 << 16 // the keys that tell JSON files apart come early in them

const SAVE_IN_PYTORCH = "save it in PyTorch with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
const EXPORTED = `load the PyTorch model that it was made of and ${SAVE_IN_PYTORCH}`
const BY_NAME =
  "write its arrays under PyTorch's names and in PyTorch's layout with safetensors.numpy.save_file(arrays, 'model.safetensors')"
const NOT_WEIGHTS = 'it holds no weights; pass a safetensors file'
const UNPACK = 'unpack it and pass the safetensors file in it'

/** First bytes as latin-1 text, what they are of, and what to do. */
const SIGNATURES: readonly (readonly [start: string, what: string, advice: string])[] = [
  ['\x89HDF\r\n\x1a\n', 'an HDF5 file (.h5, as Keras writes)', BY_NAME],
  ['\x93NUMPY', 'a NumPy array (.npy)', BY_NAME],
  ['GGUF', 'a GGUF model', EXPORTED],
  ['\x08\x01\x12', 'a TensorFlow SavedModel', BY_NAME],
  ['\x1f\x8b', 'a gzip file', UNPACK],
  ['BZh', 'a bzip2 file', UNPACK],
  ['\xfd7zXZ\x00', 'an xz file', UNPACK],
  ['\x28\xb5\x2f\xfd', 'a Zstandard file', UNPACK],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive', UNPACK],
  ['Rar!\x1a\x07', 'a RAR archive', UNPACK],
  ['\x89PNG\r\n\x1a\n', 'a PNG image', NOT_WEIGHTS],
  ['\xff\xd8\xff', 'a JPEG image', NOT_WEIGHTS],
  ['GIF8', 'a GIF image', NOT_WEIGHTS],
  ['%PDF-', 'a PDF document', NOT_WEIGHTS],
]

/** The number with which torch.save begins a pickle that is not in a zip. */
const TORCH_MAGIC = '\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19'

/**
 * Tells by its first bytes what a file is that somebody took for safetensors; undefined where that cannot be told.
 *
 * @param bytes the whole file; any length
 */
export function whatFile(bytes: Uint8Array): ForeignFile | undefined {
  if (bytes.length === 0) return { what: 'empty', advice: 'save or fetch it again' }
  const head = latin1(bytes.subarray(0, HEAD_BYTES))
  if (head.slice(4, 9) === '\0\0\0\0{') return undefined // a header length below 2^32 and a header: safetensors, if damaged
  const signature = SIGNATURES.find(([start]) => head.startsWith(start))
  if (signature !== undefined) return { what: signature[1], advice: signature[2] }
  return whatArchive(bytes, head) ?? whatBinary(bytes, head) ?? whatText(bytes)
}

function whatArchive(bytes: Uint8Array, head: string): ForeignFile | undefined {
  if (head.slice(257, 262) === 'ustar') return { what: 'a tar archive', advice: UNPACK }
  if (!head.startsWith('PK\x03\x04') && !head.startsWith('PK\x05\x06')) return undefined
  const names = zipNames(bytes).filter((name) => name !== '')
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name))
  if (has(/(^|\/)(constants\.pkl$|code\/)/)) {
    return { what: 'a TorchScript model (a zip with code)', advice: EXPORTED }
  }
  if (has(/(^|\/)archive_format$/)) return { what: 'a PyTorch program (torch.export, a zip)', advice: EXPORTED }
  if (has(/(^|\/)data\.pkl$/)) return { what: 'a PyTorch checkpoint (a pickle in a zip)', advice: SAVE_IN_PYTORCH }
  if (has(/\.npy$/)) return { what: 'a NumPy archive (.npz)', advice: BY_NAME }
  if (has(/^model\.weights\.h5$/) || (has(/^config\.json$/) && has(/^metadata\.json$/))) {
    return { what: 'a Keras model (.keras)', advice: BY_NAME }
  }
  const holding = names.length > 0 ? ` with ${names.slice(0, 3).map(quote).join(', ')}` : ''
  return { what: `a zip archive${holding}${names.length > 3 ? ', …' : ''}`, advice: UNPACK }
}

function whatBinary(bytes: Uint8Array, head: string): ForeignFile | undefined {
  if (head[0] === '\x80' && isAmong(bytes[1], 2, 5)) {
    const isTorch = head.slice(0, 64).includes(TORCH_MAGIC)
    return isTorch
      ? { what: 'a PyTorch checkpoint (a pickle, as PyTorch before 1.6 wrote)', advice: SAVE_IN_PYTORCH }
      : { what: 'a Python pickle', advice: `if it holds a PyTorch model, ${SAVE_IN_PYTORCH}` }
  }
  if (head.slice(4, 8) === 'TFL3') return { what: 'a TensorFlow Lite model', advice: BY_NAME }
  if (head.startsWith('\0\0') && isAmong(bytes[2], 0x08, 0x0e) && isAmong(bytes[3], 1, 8)) {
    return { what: 'an IDX file (data as of MNIST)', advice: NOT_WEIGHTS }
  }
  if (isOnnx(bytes)) return { what: 'an ONNX model', advice: EXPORTED }
  return undefined
}

function whatText(bytes: Uint8Array): ForeignFile | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe && bytes[2] !== 0 && bytes[3] === 0) {
    return { what: 'text in UTF-16 (PowerShell damages files by writing them so)', advice: 'save or fetch it again' }
  }
  const text = plainText(bytes.subarray(0, JSON_BYTES))
  if (text === undefined) return undefined
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    return { what: 'a Git LFS pointer, which stands for the real file', advice: "run 'git lfs pull' to get that" }
  }
  if (/^<(!doctype html|html|head|body)\b/i.test(text)) {
    return { what: 'an HTML page', advice: 'download the file itself, not the page that shows it or asks to log in' }
  }
  if (/^<\?xml\b/i.test(text)) return { what: 'an XML document (perhaps a server’s error)', advice: 'fetch it again' }
  if (/^\s*[{[]/.test(text)) return whatJson(text)
  const line = text.split(/[\r\n]/, 1)[0]
  return { what: `a text file that begins with ${quote(line.slice(0, 60))}`, advice: 'save or fetch it again' }
}

function whatJson(text: string): ForeignFile {
  if (text.includes('"weight_map"')) {
    return {
      what: 'the index (JSON) of a model in several safetensors files',
      advice:
        "join them in PyTorch: load the model and save it whole with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')",
    }
  }
  if (/"(modelTopology|weightsManifest)"/.test(text)) {
    return { what: 'a TensorFlow.js model description (JSON)', advice: BY_NAME }
  }
  return { what: 'a JSON file', advice: NOT_WEIGHTS }
}

/** The beginning of a text file, without byte order mark and white space before it; undefined where there are control characters. */
function plainText(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(new Uint8Array(bytes), { fatal: false }).trimStart()
  const start = text.slice(0, HEAD_BYTES)
  return start === '' || /[^\P{Cc}\t\n\f\r]|\ufffd/u.test(start) ? undefined : text
}

function isAmong(byte: number, first: number, last: number): boolean {
  return byte >= first && byte <= last
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
