import { constants } from 'node:os'

type Cause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a long command needs to stop when it is told to. */
export interface StopOnSignal {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, or when nobody can read the output any more. */
  signal: AbortSignal
  /** 128 + the signal's number, as shells report it: 130, 143, 129 or, for a reader that went away, 141. */
  exitCode(): number
  /** Leaves the signals to Node again. */
  dispose(): void
}

/** The first signal asks the work to end after its step; a second one ends the process at once. */
export function stopOnSignal(): StopOnSignal {
  const controller = new AbortController()
  let received: Cause = 'SIGINT'
  const exitCode = (): number => 128 + constants.signals[received]
  const onSignal = (signal: Cause): void => {
    if (!controller.signal.aborted) {
      received = signal
      controller.abort()
      return
    }
    // A terminal that goes away takes its output with it: a hang-up after that is no second wish.
    if (signal !== 'SIGHUP' && received !== 'SIGHUP') process.exit(exitCode())
  }
  const onPipe = (): void => {
    if (!controller.signal.aborted) onSignal('SIGPIPE')
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  readerLeft.addEventListener('abort', onPipe)
  if (readerLeft.aborted) onPipe()
  return {
    signal: controller.signal,
    exitCode,
    dispose() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
      readerLeft.removeEventListener('abort', onPipe)
    },
  }
}

const reader = new AbortController()

/** Aborted when the output cannot be written any more: its reader has closed it (`rowwise … | head`), or its terminal is gone. */
export const readerLeft: AbortSignal = reader.signal

/** A reader that closed its pipe, or a terminal that is gone. */
const GONE: readonly unknown[] = ['EPIPE', 'EIO', 'ENXIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']

let outputError: Error | null = null

/** Why the output could not be written, where that is a fault, such as a full disk; null for a reader that left. */
export function outputFault(): Error | null {
  return outputError
}

/** Waits until all that was printed is written, or has failed to be. */
export async function outputIsOut(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  await new Promise((resolve) => setImmediate(resolve)) // a failure is told after the call that failed
}

/** Makes an output that is closed early no fault: what was to be printed is dropped, and the work stops as by a signal. */
export function allowReaderToLeave(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!GONE.includes(error.code)) outputError ??= error
      reader.abort()
    })
  }
}
