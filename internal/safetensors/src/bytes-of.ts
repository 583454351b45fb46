import { SafetensorsError } from './error'
import { describeValue, quote } from './show'

/**
 * The bytes of what a caller gives as a file. Arrays of another realm (jsdom, a vm context) are taken too, so the test is
 * not `instanceof`.
 *
 * @throws {@link SafetensorsError} that says how to get the bytes of what it found.
 */
export function bytesOf(caller: string, file: unknown): Uint8Array {
  const kind = Object.prototype.toString.call(file)
  if (ArrayBuffer.isView(file) && kind === '[object Uint8Array]') return file as Uint8Array
  if (kind === '[object ArrayBuffer]') return new Uint8Array(file as ArrayBuffer)
  const found = isUrl(file) ? `the URL ${quote(file.href)}` : describeValue(file)
  throw new SafetensorsError(
    `${caller} got ${found}, expected the bytes of a safetensors file (a Uint8Array or an ArrayBuffer); ${advice(caller, file)}`,
  )
}

function advice(caller: string, file: unknown): string {
  if (typeof file === 'string' || isUrl(file)) {
    const isRemote = /^https?:/i.test(String(file))
    const path = quote(isUrl(file) && file.protocol === 'file:' ? file.pathname : String(file))
    const bytes = isRemote ? `await (await fetch(${path})).arrayBuffer()` : `await readFile(${path})`
    return `read the file first: ${caller}(${bytes})`
  }
  if (isObject(file) && typeof file.then === 'function') return `await it first: ${caller}(await …)`
  if (isObject(file) && typeof file.arrayBuffer === 'function') {
    return `read it first: ${caller}(await file.arrayBuffer())`
  }
  return `read the file first: ${caller}(await readFile('model.safetensors'))`
}

function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
