import { onnx } from 'onnx-proto'

/** A size of an axis, or the name of one that is free. */
export type Dim = number | string

/** The IR version that came with each opset. */
const IR_VERSIONS: Readonly<Record<number, number>> = { 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10 }

/** The opsets that are written. */
export const OPSETS = Object.keys(IR_VERSIONS).map(Number)

const { DataType } = onnx.TensorProto
const { AttributeType } = onnx.AttributeProto

/** Attributes of an operation. */
export type Attributes = Readonly<Record<string, number | string | readonly number[] | readonly string[]>>

/** Puts a graph together, operation by operation. */
export class GraphWriter {
  private readonly nodes: onnx.INodeProto[] = []
  private readonly constants = new Map<string, onnx.ITensorProto>()
  private readonly inputs: onnx.IValueInfoProto[] = []
  private readonly outputs: onnx.IValueInfoProto[] = []
  private readonly names = new Set<string>()
  private count = 0

  constructor(readonly opset: number) {}

  /** Adds an input, and returns its name. */
  input(name: string, type: 'float' | 'int32' | 'int64', dims: readonly Dim[]): string {
    this.inputs.push(valueInfo(name, DataType[type.toUpperCase() as 'FLOAT'], dims))
    return name
  }

  /** Makes a value an output of the graph under a name. */
  output(name: string, value: string, dims: readonly Dim[]): void {
    this.nodes.push({ opType: 'Identity', input: [value], output: [name] })
    this.outputs.push(valueInfo(name, DataType.FLOAT, dims))
  }

  /** Adds a constant of floats, and returns its name. */
  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    this.constants.set(name, { name, dims: [...dims], dataType: DataType.FLOAT, rawData })
    return name
  }

  /** Adds integers, once for the same ones, and returns their name: a list, or one alone. */
  integers(values: number | readonly number[], type: 'int32' | 'int64' = 'int64'): string {
    const list = typeof values === 'number' ? [values] : values
    const name = `${type}_${typeof values === 'number' ? values : `list_${list.join('_')}`}`.replaceAll('-', 'minus')
    const dims = typeof values === 'number' ? [] : [list.length]
    const content = type === 'int64' ? BigInt64Array.from(list, BigInt) : Int32Array.from(list)
    const dataType = type === 'int64' ? DataType.INT64 : DataType.INT32
    this.constants.set(name, { name, dims, dataType, rawData: new Uint8Array(content.buffer) })
    return name
  }

  /** Adds an operation, and returns the names of what it puts out. */
  add(opType: string, name: string, input: readonly string[], attributes: Attributes = {}, outputs = 1): string[] {
    const serial = this.count++
    const output = Array.from({ length: outputs }, (_, at) => `${name}_${serial}${outputs > 1 ? `_${at}` : ''}`)
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
    // onnxruntime expects a different name for each operation.
    const isTaken = this.names.has(name)
    this.names.add(name)
    this.nodes.push({ opType, name: isTaken ? `${name}_${serial}` : name, input: [...input], output, attribute })
    return output
  }

  /** The same, of an operation that puts out one value. */
  one(opType: string, name: string, input: readonly string[], attributes?: Attributes): string {
    return this.add(opType, name, input, attributes)[0]
  }

  /** The bytes of the file. */
  finish(name: string, metadata: Readonly<Record<string, string>>): Uint8Array {
    const model = onnx.ModelProto.create({
      irVersion: IR_VERSIONS[this.opset],
      producerName: 'rowwise',
      opsetImport: [{ domain: '', version: this.opset }],
      graph: {
        name,
        node: this.nodes,
        initializer: [...this.constants.values()],
        input: this.inputs,
        output: this.outputs,
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    })
    return Uint8Array.from(onnx.ModelProto.encode(model).finish())
  }
}

function valueInfo(name: string, elemType: number, dims: readonly Dim[]): onnx.IValueInfoProto {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

function attributeOf(name: string, value: Attributes[string]): onnx.IAttributeProto {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: encode(value) }
  if (typeof value === 'number') {
    return Number.isInteger(value) && name !== 'epsilon'
      ? { name, type: AttributeType.INT, i: value }
      : { name, type: AttributeType.FLOAT, f: value }
  }
  if (value.every((item) => typeof item === 'string'))
    return { name, type: AttributeType.STRINGS, strings: (value as readonly string[]).map(encode) }
  return { name, type: AttributeType.INTS, ints: [...(value as readonly number[])] }
}
