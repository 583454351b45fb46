/** A field of a message in protobuf's wire format. */
export type Field = Uint8Array

/** A message of fields. */
export function message(...fields: readonly (Field | undefined)[]): Uint8Array {
  return concatenated(fields.filter((field) => field !== undefined))
}

/** A message, bytes or a text within another. */
export function bytes(number: number, value: Uint8Array | string): Field {
  const content = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return concatenated([varint((number << 3) | 2), varint(content.length), content])
}

/** A whole number of at least 0. */
export function integer(number: number, value: number): Field {
  return concatenated([varint(number << 3), varint(value)])
}

export function double(number: number, value: number): Field {
  return concatenated([varint((number << 3) | 1), doubleBytes([value])])
}

export function float(number: number, value: number): Field {
  return concatenated([varint((number << 3) | 5), new Uint8Array(Float32Array.of(value).buffer)])
}

/** Numbers one after the other, packed. */
export function doubles(number: number, values: readonly number[]): Field {
  return bytes(number, doubleBytes(values))
}

function doubleBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer)
}

/** Seven bits a byte, the low ones first. */
function varint(value: number): Uint8Array {
  const digits: number[] = []
  let rest = value
  while (rest >= 128) {
    digits.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.from([...digits, rest])
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
