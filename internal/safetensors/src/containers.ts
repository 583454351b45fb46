const MAX_NAMES = 64 // enough to know an archive by
const END_RECORD_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff // the end record of a zip is followed by a comment of at most so much
const LOCAL_HEADER = 0x04034b50
const CENTRAL_HEADER = 0x02014b50
const END_RECORD = 0x06054b50

/** Names of the first files in a zip; of one that was cut, which has lost its directory, the first file's alone. */
export function zipNames(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const names: string[] = []
  let at = centralDirectoryAt(view)
  while (names.length < MAX_NAMES && at + 46 <= view.byteLength && view.getUint32(at, true) === CENTRAL_HEADER) {
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    names.push(textAt(bytes, at + 46, name))
    at += 46 + name + extra + comment
  }
  if (names.length === 0 && view.byteLength >= 30 && view.getUint32(0, true) === LOCAL_HEADER) {
    names.push(textAt(bytes, 30, view.getUint16(26, true)))
  }
  return names
}

function centralDirectoryAt(view: DataView): number {
  const last = view.byteLength - END_RECORD_BYTES
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) {
    if (view.getUint32(at, true) === END_RECORD) return view.getUint32(at + 16, true)
  }
  return view.byteLength
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

const GRAPH_FIELD = 7
const LAST_FIELD = 25 // ModelProto's highest field number, functions
const MAX_FIELDS = 1000 // fields before the graph; a model has a few, and one for each line of its own metadata
const MIN_IR_VERSION = 3 // of ONNX 1.0

/**
 * Whether bytes are an ONNX model: a protobuf message whose first field is the version of the format, and whose field 7 is the
 * graph. It has no signature.
 */
export function isOnnx(bytes: Uint8Array): boolean {
  const reader = new FieldReader(bytes)
  const version = reader.next()
  if (version?.number !== 1 || version.wireType !== 0 || version.value < MIN_IR_VERSION) return false
  for (let i = 0; i < MAX_FIELDS; i++) {
    const field = reader.next()
    if (field?.number === GRAPH_FIELD) return field.wireType === 2
    if (field === undefined) return false
  }
  return false
}

interface Field {
  number: number
  wireType: number
  /** A number, or the length of what follows. */
  value: number
}

/** Goes through the fields of a protobuf message. */
class FieldReader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  /** The next field; undefined at the end, or where it is no field of ONNX. */
  next(): Field | undefined {
    const tag = this.varint()
    const value = tag === undefined ? undefined : this.varint()
    if (tag === undefined || value === undefined) return undefined
    const [number, wireType] = [tag >> 3, tag & 7]
    if (number < 1 || number > LAST_FIELD || (wireType !== 0 && wireType !== 2)) return undefined
    if (wireType === 2) this.at += value
    return { number, wireType, value }
  }

  /** A number of up to five bytes, seven bits in each, the lowest first. */
  private varint(): number | undefined {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) return undefined
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return undefined
  }
}
