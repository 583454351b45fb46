// What every runtime has as a global, but Jest's jsdom takes away; Node's modules still have it there.
const nodeUtil = (): typeof import('node:util') => process.getBuiltinModule('node:util')
const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')

/** A text as UTF-8, in this realm's array. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const Encoder = globalThis.TextEncoder ?? nodeUtil().TextEncoder
  return Uint8Array.from(new Encoder().encode(text))
}

/** The text of UTF-8 bytes. @throws TypeError when they are not valid UTF-8, unless `fatal` is false. */
export function decodeUtf8(bytes: Uint8Array, { fatal = true } = {}): string {
  const Decoder = globalThis.TextDecoder ?? nodeUtil().TextDecoder
  return new Decoder('utf-8', { fatal, ignoreBOM: true }).decode(bytes)
}

/** The SHA-256 of bytes, in hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle ?? nodeCrypto().webcrypto.subtle
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The MD5 sum of bytes in hexadecimal digits; undefined where there is none, as in browsers. */
export function md5(bytes: Uint8Array): string | undefined {
  if (typeof process !== 'object' || !process.getBuiltinModule) return undefined
  return process.getBuiltinModule('node:crypto').createHash('md5').update(bytes).digest('hex')
}
