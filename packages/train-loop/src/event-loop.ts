const BREATH_MILLISECONDS = 25

/** Lets timers, signals and other requests run now and then during a long synchronous loop. */
export class Breather {
  private last = performance.now()

  /** Waits for one turn of the event loop when the last one was a while ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.last < BREATH_MILLISECONDS) return
    await new Promise<void>((resume) => {
      if (typeof setImmediate === 'function') setImmediate(resume)
      else setTimeout(resume, 0)
    })
    this.last = performance.now()
  }
}
