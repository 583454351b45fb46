import { CacheError } from '../errors'

/** How one request is bounded. */
export interface FetchBounds {
  /** Bytes that the answer may have. */
  maxBytes: number
  /** Milliseconds for the whole answer. */
  timeoutMs: number
  /** Milliseconds without a byte. */
  stallMs: number
  /** Stops it. */
  signal?: AbortSignal
  /** In the place of the global one. */
  fetch: typeof fetch
  /** A browser follows redirects by its own rules, and shows nobody where to. @default false */
  followsRedirects?: boolean
  /** Told the bytes so far, and how many the server promised. */
  onChunk?(received: number, total: number | undefined): void
}

/** What becomes of a piece. */
export type TakeChunk = (chunk: Uint8Array) => void | Promise<void>

/** Why a mirror did not deliver. */
export class MirrorFailure extends Error {
  /** @param isPassing whether another try may do better */
  constructor(
    message: string,
    readonly isPassing: boolean,
  ) {
    super(message)
  }
}

/** What the caller's `onChunk` threw, its cause: no fault of a mirror. */
export class CallbackFailure extends Error {}

const MAX_REDIRECTS = 5
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** Gets the bytes at a URL: bounded in size and time, redirected only to where a download may come from. */
export async function fetchBytes(url: URL, bounds: FetchBounds): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const received = await fetchChunks(url, bounds, (chunk) => {
    chunks.push(chunk)
  })
  return concat(chunks, received)
}

/** The same, given away piece by piece as it comes. @returns how many bytes there were */
export async function fetchChunks(url: URL, bounds: FetchBounds, take: TakeChunk): Promise<number> {
  const { timeoutMs, stallMs, signal } = bounds
  const stop = new AbortController()
  const say = (milliseconds: number): string => `${milliseconds / 1000} s`
  const late = setTimeout(() => stop.abort(new MirrorFailure(`took over ${say(timeoutMs)}`, true)), timeoutMs)
  let stalled: ReturnType<typeof setTimeout> | undefined
  const heard = (): void => {
    clearTimeout(stalled)
    stalled = setTimeout(() => stop.abort(new MirrorFailure(`sent nothing for ${say(stallMs)}`, true)), stallMs)
  }
  heard()
  const onAbort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) onAbort()
  try {
    const response = await request(url, bounds, stop.signal)
    heard()
    return await readBody(response, bounds, heard, take)
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason
    const isNamed = error instanceof MirrorFailure || error instanceof CacheError || error instanceof CallbackFailure
    if (isNamed) throw error
    const { cause, message } = error as Error & { cause?: Error }
    throw new MirrorFailure(cause?.message || message, true)
  } finally {
    clearTimeout(late)
    clearTimeout(stalled)
    signal?.removeEventListener('abort', onAbort)
    stop.abort() // ends a connection whose answer was refused
  }
}

async function request(url: URL, { fetch, followsRedirects }: FetchBounds, signal: AbortSignal): Promise<Response> {
  if (followsRedirects) return successful(await fetch(url, { signal, credentials: 'omit' }))
  const seen = new Set<string>()
  let target = url
  while (seen.size <= MAX_REDIRECTS) {
    seen.add(target.href)
    const response = await fetch(target, { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } })
    if (!REDIRECTS.includes(response.status)) {
      return successful(response)
    }
    target = redirection(target, response.headers.get('location'), seen)
  }
  throw new MirrorFailure(`redirects more than ${MAX_REDIRECTS} times`, false)
}

function successful(response: Response): Response {
  if (response.ok) return response
  throw new MirrorFailure(`HTTP ${response.status}`, response.status === 429 || response.status >= 500)
}

function redirection(from: URL, location: string | null, seen: ReadonlySet<string>): URL {
  const to = URL.canParse(location ?? '', from) ? new URL(location ?? '', from) : null
  if (location === null || to === null) throw new MirrorFailure('redirects to nowhere', false)
  const isAllowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')
  if (!isAllowed) throw new MirrorFailure(`redirects from ${from.protocol} to ${to.protocol}, which is refused`, false)
  if (seen.has(to.href)) throw new MirrorFailure('redirects in a loop', false)
  return to
}

async function readBody(
  response: Response,
  { maxBytes, onChunk }: FetchBounds,
  heard: () => void,
  take: TakeChunk,
): Promise<number> {
  const length = response.headers.get('content-length')
  const total = length === null ? undefined : Number(length)
  const tooLarge = (): MirrorFailure => new MirrorFailure(`sends more than the ${maxBytes} bytes expected`, false)
  if (total !== undefined && total > maxBytes) throw tooLarge()
  let received = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    heard()
    received += part.value.length
    if (received > maxBytes) throw tooLarge()
    await take(part.value)
    try {
      onChunk?.(received, total)
    } catch (cause) {
      throw new CallbackFailure('onProgress threw', { cause })
    }
  }
  return received
}

/** Puts chunks together. */
export function concat(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
