import { SafetensorsError } from './error'

/** What may stand in a header: unlike JSON at large no fractions, signs, booleans or null. */
export type HeaderValue = string | number | HeaderValue[] | Map<string, HeaderValue>

const MAX_DEPTH = 3 // header → tensor → shape; nothing in the format is deeper
const TOKEN = /[ \t\n\r]*(?:([{}[\]:,])|("(?:[^"\\]|\\.)*")|(0|[1-9][0-9]*)(?![0-9.eE]))/y

/**
 * Parses the JSON of a safetensors header. `JSON.parse` would drop duplicate names, take `__proto__` for a key and recurse
 * as deep as the input says; this refuses all three, and names the offset.
 */
export function parseHeaderJson(text: string): Map<string, HeaderValue> {
  const reader = new TokenReader(text)
  const value = readValue(reader, 1)
  reader.expectEnd()
  if (!(value instanceof Map)) throw new SafetensorsError('the header is no JSON object; is it a safetensors file?')
  return value
}

class TokenReader {
  private at = 0

  constructor(private readonly text: string) {}

  next(): string {
    TOKEN.lastIndex = this.at
    const match = TOKEN.exec(this.text)
    if (match === null) this.fail()
    this.at = TOKEN.lastIndex
    return match[1] ?? match[2] ?? match[3]
  }

  expect(token: string): void {
    if (this.next() !== token) this.fail()
  }

  expectEnd(): void {
    if (this.text.slice(this.at).trim() !== '') this.fail()
  }

  fail(reason = 'is no valid header JSON'): never {
    throw new SafetensorsError(
      `the header ${reason} near character ${this.at}; the file was damaged, so fetch it again`,
    )
  }
}

function readValue(reader: TokenReader, depth: number, token = reader.next()): HeaderValue {
  if (depth > MAX_DEPTH && (token === '{' || token === '[')) reader.fail('is nested too deep')
  if (token === '{') return readObject(reader, depth)
  if (token === '[') return readArray(reader, depth)
  if (token.startsWith('"')) return readString(reader, token)
  if (/^[0-9]/.test(token)) return readInteger(reader, token)
  return reader.fail()
}

function readObject(reader: TokenReader, depth: number): Map<string, HeaderValue> {
  const object = new Map<string, HeaderValue>()
  let token = reader.next()
  while (token !== '}') {
    if (!token.startsWith('"')) reader.fail()
    const key = readString(reader, token)
    reader.expect(':')
    if (object.has(key)) reader.fail(`has ${JSON.stringify(key.slice(0, 100))} twice`)
    object.set(key, readValue(reader, depth + 1))
    token = reader.next()
    if (token === ',') {
      token = reader.next()
      if (token === '}') reader.fail()
    } else if (token !== '}') reader.fail()
  }
  return object
}

function readArray(reader: TokenReader, depth: number): HeaderValue[] {
  const array: HeaderValue[] = []
  let token = reader.next()
  while (token !== ']') {
    array.push(readValue(reader, depth + 1, token))
    token = reader.next()
    if (token === ',') {
      token = reader.next()
      if (token === ']') reader.fail()
    } else if (token !== ']') reader.fail()
  }
  return array
}

function readString(reader: TokenReader, token: string): string {
  try {
    return JSON.parse(token) as string
  } catch {
    return reader.fail('has a malformed string')
  }
}

function readInteger(reader: TokenReader, token: string): number {
  const value = Number(token)
  return Number.isSafeInteger(value) ? value : reader.fail(`has the number ${token.slice(0, 30)}, over 2^53,`)
}
