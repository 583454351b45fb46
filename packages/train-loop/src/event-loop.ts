const BREATH_MILLISECONDS = 25

/** Lets timers, signals and other requests run now and then during a long synchronous loop. */
export class Breather {
  private last = performance.now()

  /** Whether the last turn of the event loop was a while ago. */
  get isDue(): boolean {
    return performance.now() - this.last >= BREATH_MILLISECONDS
  }

  /** Waits for one turn of the event loop. */
  async breathe(): Promise<void> {
    await oneTurn()
    this.last = performance.now()
  }
}

function oneTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else if (typeof MessageChannel === 'function') sendOneself(resolve)
    else setTimeout(resolve) // Jest's jsdom
  })
}

/** A browser holds timers that follow each other back for 4 ms, a seventh of the time here, but not messages. */
function sendOneself(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    resolve()
  }
  port2.postMessage(null)
}
