/** Lets a training loop take exactly one step at a time: two promises, one for each side. */
export class StepGate {
  private open: () => void = () => {}
  private settle: { resolve: () => void; reject: (error: unknown) => void } = { resolve() {}, reject() {} }
  private failure: unknown
  private hasBegun = false

  /** Called by the loop after each step; it goes on when the next step is asked for. */
  stepDone(): Promise<void> {
    const opened = new Promise<void>((resolve) => {
      this.open = resolve
    })
    this.settle.resolve()
    return opened
  }

  /** Called by the loop when it cannot go on. */
  fail(error: unknown): void {
    this.failure = error
    this.settle.reject(error)
  }

  /** Takes a step, and waits for its end. */
  nextStep(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure)
    const finished = new Promise<void>((resolve, reject) => {
      this.settle = { resolve, reject }
    })
    if (this.hasBegun) this.open()
    this.hasBegun = true
    return finished
  }
}
