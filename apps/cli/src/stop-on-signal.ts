import { constants } from 'node:os'

/** What a long command needs to stop when it is told to. */
export interface StopOnSignal {
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal
  /** 128 + the signal's number, as shells report it: 130 or 143. */
  exitCode(): number
  /** Leaves the signals to Node again. */
  dispose(): void
}

/** The first SIGINT or SIGTERM asks the work to end after its step; a second one ends the process at once. */
export function stopOnSignal(): StopOnSignal {
  const controller = new AbortController()
  let received: 'SIGINT' | 'SIGTERM' = 'SIGINT'
  const exitCode = (): number => 128 + constants.signals[received]
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    received = signal
    if (controller.signal.aborted) process.exit(exitCode())
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    exitCode,
    dispose() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    },
  }
}
