import { SafetensorsError } from './error'
import { quote } from './show'

/**
 * A value of the header. A number that is not written as plain digits (`1.0`, `-0`, `1e2`) or is past 2^53 comes as NaN:
 * the format has no use for it.
 */
export type HeaderValue = string | number | boolean | null | HeaderValue[] | Map<string, HeaderValue>

const MAX_DEPTH = 127 // the official reader's; the format needs 3, fields that nobody reads may be deeper
const TOKEN =
  /[ \t\n\r]*(?:([{}[\]:,]|true|false|null)|("(?:[^"\\]|\\.)*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE]))/y

const LITERALS: ReadonlyMap<string, HeaderValue> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

/**
 * Parses the JSON of a safetensors header. `JSON.parse` would drop duplicate names, take `__proto__` for a key and accept
 * broken Unicode; this refuses all three, and names the offset.
 */
export function parseHeaderJson(text: string): Map<string, HeaderValue> {
  const reader = new TokenReader(text)
  const value = readValue(reader, 1)
  reader.expectEnd()
  if (!(value instanceof Map)) throw new SafetensorsError('the header is not a JSON object; is it a safetensors file?')
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
    if (!/^[ \t\n\r]*$/.test(this.text.slice(this.at))) this.fail('is followed by something else')
  }

  fail(reason = 'is not valid JSON'): never {
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
  if (/^[-0-9]/.test(token)) return readNumber(reader, token)
  const literal = LITERALS.get(token)
  return literal === undefined ? reader.fail() : literal
}

function readObject(reader: TokenReader, depth: number): Map<string, HeaderValue> {
  const object = new Map<string, HeaderValue>()
  let token = reader.next()
  while (token !== '}') {
    if (!token.startsWith('"')) reader.fail()
    const key = readString(reader, token)
    reader.expect(':')
    if (object.has(key)) reader.fail(`has ${quote(key)} twice`)
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
  let text: string
  try {
    text = JSON.parse(token)
  } catch {
    return reader.fail('has a malformed string')
  }
  // Half a surrogate pair stands for no character, and UTF-8 cannot write it.
  return /\p{Surrogate}/u.test(text) ? reader.fail('has a string of broken Unicode') : text
}

function readNumber(reader: TokenReader, token: string): number {
  const value = Number(token)
  if (!Number.isFinite(value)) return reader.fail('has a number out of range')
  return /^[0-9]+$/.test(token) && Number.isSafeInteger(value) ? value : Number.NaN
}
