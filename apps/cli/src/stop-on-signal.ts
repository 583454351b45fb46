import { constants } from 'node:os'

type Cause = 'SIGINT' | 'SIGTERM' | 'SIGPIPE'

/** What a long command needs to stop when it is told to. */
export interface StopOnSignal {
  /** Aborted by the first SIGINT or SIGTERM, or when nobody reads the output any more. */
  signal: AbortSignal
  /** 128 + the signal's number, as shells report it: 130, 143 or, for a reader that went away, 141. */
  exitCode(): number
  /** Leaves the signals to Node again. */
  dispose(): void
}

/** The first SIGINT or SIGTERM asks the work to end after its step; a second one ends the process at once. */
export function stopOnSignal(): StopOnSignal {
  const controller = new AbortController()
  let received: Cause = 'SIGINT'
  const exitCode = (): number => 128 + constants.signals[received]
  const onSignal = (signal: Cause): void => {
    if (controller.signal.aborted) process.exit(exitCode())
    received = signal
    controller.abort()
  }
  const onPipe = (): void => {
    if (!controller.signal.aborted) onSignal('SIGPIPE')
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  readerLeft.addEventListener('abort', onPipe)
  return {
    signal: controller.signal,
    exitCode,
    dispose() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      readerLeft.removeEventListener('abort', onPipe)
    },
  }
}

const reader = new AbortController()

/** Aborted when whoever read our output has closed it, as in `rowwise … | head`. */
export const readerLeft: AbortSignal = reader.signal

/** Makes an output that is closed early no fault: what was to be printed is dropped. */
export function allowReaderToLeave(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      reader.abort()
    })
  }
}
