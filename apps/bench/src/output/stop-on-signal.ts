import { exitCodeOf, STOP_SIGNALS } from '../exit'

/** The first signal ends a run after the step under way; the second ends the process at once. */
export function stopOnSignal(): { signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController()
  let received: (typeof STOP_SIGNALS)[number] = 'SIGINT'
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodeOf(name))
      received = name
      controller.abort()
    })
  }
  return { signal: controller.signal, exitCode: () => exitCodeOf(received) }
}
