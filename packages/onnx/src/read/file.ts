import { onnx } from 'onnx-proto'
import { OnnxError, OnnxUnsupportedError } from '../errors'

/** A constant tensor: floats, or integers. */
export interface Constant {
  readonly name: string
  readonly dims: readonly number[]
  readonly floats?: Float32Array
  readonly integers?: readonly number[]
}

/** One operation of a graph. */
export interface OnnxNode {
  readonly op: string
  /** What PyTorch's exporter or we call the layer; else empty. */
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, number | string | readonly number[] | readonly string[] | Constant>>
}

/** An input or output of a graph. */
export interface OnnxValue {
  readonly name: string
  /** A size, or undefined where it is free. */
  readonly dims: readonly (number | undefined)[]
  readonly isInteger: boolean
}

/** A file, as far as it is read. */
export interface OnnxFile {
  /** The version of ONNX's own operations. */
  readonly opset: number
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly OnnxNode[]
  readonly metadata: Readonly<Record<string, string>>
}

const { DataType } = onnx.TensorProto
/** Element types of integers that shapes, indices and lengths have. */
const INTEGERS: readonly (number | null | undefined)[] = [DataType.INT32, DataType.INT64]
/** More than any recurrent network has; a file that says more is broken or hostile. */
const MAX_ELEMENTS = 2 ** 28
const MAX_NODES = 100_000

/**
 * Reads the bytes of an ONNX file.
 *
 * @throws OnnxError when they are not one, or a tensor's values are not those of its shape; OnnxUnsupportedError where
 * tensors are in other files
 */
export function readOnnxFile(bytes: Uint8Array): OnnxFile {
  let model: onnx.ModelProto
  try {
    // A plain array: protobufjs makes Buffers of Buffers, in a way that Node warns of.
    model = onnx.ModelProto.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (cause) {
    throw new OnnxError('the file is not an ONNX model: its bytes are no message of Protocol Buffers', { cause })
  }
  const { graph } = model
  if (!graph?.node?.length || !graph.output?.length)
    throw new OnnxError('the file is not an ONNX model: it has no graph with operations and outputs')
  if (graph.node.length > MAX_NODES)
    throw new OnnxError(`the model has ${graph.node.length} operations, expected at most ${MAX_NODES}`)
  const constants = (graph.initializer ?? []).map((tensor) => readTensor(tensor))
  const known = new Set(constants.map(({ name }) => name))
  return {
    opset: Number((model.opsetImport ?? []).find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 1),
    inputs: (graph.input ?? []).filter(({ name }) => !known.has(name ?? '')).map(readValue),
    outputs: graph.output.map(readValue),
    constants,
    nodes: graph.node.map(readNode),
    metadata: Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? ''])),
  }
}

function readValue({ name, type }: onnx.IValueInfoProto): OnnxValue {
  const tensor = type?.tensorType
  if (!name || !tensor) throw new OnnxError(`the input or output '${name ?? ''}' is not a tensor`)
  const dims = (tensor.shape?.dim ?? []).map(({ dimValue }) => {
    const size = Number(dimValue ?? 0)
    return size > 0 ? size : undefined
  })
  return { name, dims, isInteger: INTEGERS.includes(tensor.elemType) }
}

function readNode({ opType, domain, name, input, output, attribute }: onnx.INodeProto): OnnxNode {
  const { AttributeType } = onnx.AttributeProto
  const attributes: Record<string, OnnxNode['attributes'][string]> = Object.create(null)
  for (const given of attribute ?? []) {
    const key = given.name ?? ''
    if (given.type === AttributeType.INT) attributes[key] = Number(given.i)
    else if (given.type === AttributeType.FLOAT) attributes[key] = Number(given.f)
    else if (given.type === AttributeType.STRING) attributes[key] = textOf(given.s)
    else if (given.type === AttributeType.INTS) attributes[key] = (given.ints ?? []).map(Number)
    else if (given.type === AttributeType.FLOATS) attributes[key] = (given.floats ?? []).map(Number)
    else if (given.type === AttributeType.STRINGS) attributes[key] = (given.strings ?? []).map(textOf)
    else if (given.type === AttributeType.TENSOR && given.t) attributes[key] = readTensor(given.t)
  }
  const op = domain && domain !== 'ai.onnx' ? `${domain}.${opType}` : (opType ?? '')
  return { op, name: name ?? '', inputs: input ?? [], outputs: output ?? [], attributes }
}

function readTensor(tensor: onnx.ITensorProto): Constant {
  const name = tensor.name ?? ''
  const dims = (tensor.dims ?? []).map(Number)
  const count = dims.reduce((product, size) => product * size, 1)
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0) || !(count <= MAX_ELEMENTS))
    throw new OnnxError(`the tensor '${name}' has the shape [${dims}], expected at most ${MAX_ELEMENTS} elements`)
  if (tensor.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL || tensor.externalData?.length) {
    throw new OnnxUnsupportedError(
      `the values of '${name}' are in another file; export with the weights inside, in PyTorch by external_data=False`,
    )
  }
  const raw = tensor.rawData?.length ? Uint8Array.from(tensor.rawData) : undefined // aligned
  const found = { name, dims }
  const sized = <T extends ArrayLike<number>>(values: T): T => {
    if (values.length === count) return values
    throw new OnnxError(`the tensor '${name}' has ${values.length} values, its shape [${dims}] has ${count}`)
  }
  const whole = (size: number): ArrayBuffer => {
    const bytes = raw as Uint8Array<ArrayBuffer>
    if (bytes.length % size === 0) return bytes.buffer
    throw new OnnxError(`the tensor '${name}' has ${bytes.length} bytes, expected a multiple of ${size}`)
  }
  switch (tensor.dataType) {
    case DataType.FLOAT:
      return { ...found, floats: sized(raw ? new Float32Array(whole(4)) : Float32Array.from(tensor.floatData ?? [])) }
    case DataType.DOUBLE:
      return {
        ...found,
        floats: sized(Float32Array.from(raw ? new Float64Array(whole(8)) : (tensor.doubleData ?? []))),
      }
    case DataType.INT32:
    case DataType.BOOL:
      return {
        ...found,
        integers: sized(
          Array.from(
            raw ? (tensor.dataType === DataType.BOOL ? raw : new Int32Array(whole(4))) : (tensor.int32Data ?? []),
          ),
        ),
      }
    case DataType.INT64:
      return {
        ...found,
        integers: sized(raw ? Array.from(new BigInt64Array(whole(8)), Number) : (tensor.int64Data ?? []).map(Number)),
      }
    default:
      throw new OnnxUnsupportedError(
        `the tensor '${name}' has the element type ${DataType[tensor.dataType ?? 0]}, expected float, double or integers`,
      )
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array())
}
