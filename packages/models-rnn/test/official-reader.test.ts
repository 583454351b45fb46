import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../src'
import { safetensorsFile } from './safetensors-file'

interface Case {
  name: string
  /** The header's text. */
  header: string
  /** How many zero bytes follow it. */
  dataBytes: number
  /** What the official reader finds: dtype, shape and bytes by name; null when it refuses the file. */
  reads: Record<string, [string, number[], number]> | null
}

// Written by a script of Python that asks the package `safetensors` of PyPI, version 0.8.0.
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL('vectors/official-reader.json', import.meta.url), 'utf8'),
)

/** What we refuse on purpose and the official reader takes. */
const STRICTER = new Map([
  ['leading space', /begin with/],
  ['a name twice', /"a" twice/],
  ['a metadata name twice', /"x" twice/],
  ['an extra field twice', /"x" twice/],
  ['the name __proto__', /"__proto__" is not allowed/],
  ['the name constructor', /"constructor" is not allowed/],
  ['the name prototype', /"prototype" is not allowed/],
  ['the metadata name __proto__', /"__proto__" is not allowed/],
  ['a name of 2000 characters', /not allowed as a name/],
  ['an entry as a list', /expected an object/],
  ['a dtype as an object', /has the dtype an object, expected one of/],
  ['a tensor of 65 axes', /65 axes, expected at most 64/],
  ['size zero beside 2^53', /plain integer below 2\^53/],
])

const read = ({ header, dataBytes }: Case) =>
  Object.fromEntries(
    Object.entries(decodeSafetensors(safetensorsFile(header, dataBytes)).tensors).map(
      ([name, { dtype, shape, data }]) => [name, [dtype, shape, data.byteLength]],
    ),
  )

const agreed = cases.filter(({ name }) => !STRICTER.has(name))

describe('decodeSafetensors reads what the official reader reads', () => {
  it.each(agreed.filter(({ reads }) => reads !== null))('$name', (file) => {
    expect(read(file)).toEqual(file.reads)
  })
})

describe('decodeSafetensors refuses what the official reader refuses', () => {
  it.each(agreed.filter(({ reads }) => reads === null))('$name', (file) => {
    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'SAFETENSORS_INVALID' }))
  })
})

describe('decodeSafetensors is stricter than the official reader with', () => {
  const byName = new Map(cases.map((file) => [file.name, file]))

  it.each([...STRICTER])('%s', (name, message) => {
    const file = byName.get(name) as Case
    expect(file.reads).not.toBe(null)
    expect(() => read(file)).toThrow(message)
  })
})
