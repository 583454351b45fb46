import { SingleBar } from 'cli-progress'

/** A progress bar on standard error where that is a terminal, and nothing elsewhere. */
export class Progress {
  private readonly bar: SingleBar | null
  private began = 0
  private before = 0

  constructor(visible = process.stderr.isTTY === true) {
    const format = '{title} [{bar}] {percentage}% | loss {loss} | {rate} samples/s | {left} left'
    const options = { format, hideCursor: true, clearOnComplete: true, stream: process.stderr, fps: 10 }
    this.bar = visible ? new SingleBar({ ...options, barCompleteChar: '█', barIncompleteChar: '░' }) : null
  }

  /** Whether anybody sees it; work that only feeds the bar can be left out otherwise. */
  get visible(): boolean {
    return this.bar !== null
  }

  /** @param done samples that an earlier run has seen */
  start(title: string, samples: number, done = 0): void {
    this.began = performance.now()
    this.before = done
    this.bar?.start(samples, done, { title, loss: '-', rate: '-', left: '-' })
  }

  update(samples: number, total: number, loss: number): void {
    const rate = (samples - this.before) / ((performance.now() - this.began) / 1000)
    const left = duration((total - samples) / rate)
    this.bar?.update(samples, { loss: loss.toFixed(4), rate: Math.round(rate), left })
  }

  stop(): void {
    this.bar?.stop()
  }
}

/** Seconds as people say them: `45 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-'
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
