import { byId } from '../elements'
import { drawLines } from '../show/line-chart'
import { paintGrey } from '../show/pixels'
import type { Command, Event, Settings } from './protocol'

/** Where the four IDX files lie, beside the page. */
const DATA_ROOT = new URL('mnist/', document.baseURI).href

/** Points of a curve that a screen can show. */
const SHOWN_POINTS = 400

/** Trains in a worker and shows what happens. */
export class TrainPanel {
  private worker: Worker | null = null
  private isPaused = false
  private losses: number[] = []
  private accuracies: number[] = []
  private settings: Settings | null = null
  private stepsPerEpoch = 1
  private computedBy = ''

  constructor(
    private readonly readSettings: () => Settings | null,
    private readonly onWeights: (weights: Uint8Array, origin: string) => void,
  ) {
    byId<HTMLFormElement>('settings').addEventListener('submit', (event) => {
      event.preventDefault()
      const settings = this.readSettings()
      if (settings) this.start(settings)
    })
    byId('pause').addEventListener('click', () => this.togglePause())
    byId('stop').addEventListener('click', () => this.send({ type: 'stop' }))
    addEventListener('pagehide', () => this.worker?.terminate())
    this.drawCurves()
  }

  /** Trains; `steps` ends it early, for tests. */
  start(settings: Settings, steps?: number): void {
    this.worker?.terminate()
    this.settings = settings
    this.losses = []
    this.accuracies = []
    this.isPaused = false
    this.worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    this.worker.addEventListener('message', ({ data }: MessageEvent<Event>) => this.onEvent(data))
    this.worker.addEventListener('error', ({ message }) => this.onEvent({ type: 'error', message }))
    this.send({ type: 'start', settings, dataRoot: DATA_ROOT, steps })
    this.say('loading the real MNIST …')
    this.showButtons(true)
  }

  private send(command: Command): void {
    this.worker?.postMessage(command)
  }

  private togglePause(): void {
    this.isPaused = !this.isPaused
    this.send({ type: this.isPaused ? 'pause' : 'resume' })
    byId('pause').textContent = this.isPaused ? 'Go on' : 'Pause'
  }

  private onEvent(event: Event): void {
    switch (event.type) {
      case 'loading':
        this.say(`loading ${event.file}: ${(event.received / 1e6).toFixed(1)} MB`)
        break
      case 'ready':
        this.stepsPerEpoch = event.stepsPerEpoch
        this.computedBy = event.computedBy
        this.say(`training with ${[event.computedBy, ...event.notes].join('; ')}`)
        break
      case 'steps':
        this.onSteps(event)
        break
      case 'epoch':
        this.accuracies.push(event.accuracy)
        this.drawCurves()
        this.showConfusion(event.confusion)
        this.showWrong(event.wrong)
        this.onWeights(event.weights, `trained here for ${event.epoch} epochs, seed ${this.settings?.seed}`)
        break
      case 'end':
        if (event.weights) {
          this.onWeights(event.weights, `trained here for ${this.losses.length} steps, seed ${this.settings?.seed}`)
        }
        this.end(
          event.stopped ? `Stopped after ${this.losses.length} steps.` : `Done: ${this.percent()} of the test images.`,
        )
        break
      case 'error':
        this.end(`It did not work: ${event.message}`)
    }
  }

  private onSteps({ epoch, losses, samplesPerSecond, secondsLeft }: Extract<Event, { type: 'steps' }>): void {
    this.losses.push(...losses)
    const epochs = this.settings?.epochs ?? 1
    byId<HTMLProgressElement>('bar').value = this.losses.length / (this.stepsPerEpoch * epochs)
    const rate = `${Math.round(samplesPerSecond).toLocaleString('en')} samples/s`
    const state = this.isPaused ? 'paused' : `about ${Math.ceil(secondsLeft)} s left`
    this.say(
      `epoch ${epoch} of ${epochs}, step ${this.losses.length}, loss ${this.losses.at(-1)?.toFixed(4)}, ${rate}, ${state}; ${this.computedBy}`,
    )
    this.drawCurves()
  }

  private end(text: string): void {
    this.worker?.terminate()
    this.worker = null
    this.say(`${text} ${this.computedBy ? `Computed by ${this.computedBy}.` : ''}`)
    this.showButtons(false)
  }

  private showButtons(isRunning: boolean): void {
    byId<HTMLButtonElement>('start').disabled = isRunning
    byId<HTMLButtonElement>('pause').disabled = !isRunning
    byId<HTMLButtonElement>('stop').disabled = !isRunning
    byId('pause').textContent = 'Pause'
  }

  private say(text: string): void {
    byId('progress').textContent = text
  }

  private percent(): string {
    return `${(100 * (this.accuracies.at(-1) ?? 0)).toFixed(2)} %`
  }

  private drawCurves(): void {
    const steps = Math.max(1, this.losses.length)
    const stride = Math.ceil(steps / SHOWN_POINTS)
    const points = Array.from({ length: Math.floor(this.losses.length / stride) }, (_, index) => {
      const part = this.losses.slice(index * stride, (index + 1) * stride)
      return { x: (index + 1) * stride, y: part.reduce((sum, loss) => sum + loss, 0) / part.length }
    })
    const highest = Math.max(2.5, ...points.map(({ y }) => y))
    const last = this.losses.at(-1)?.toFixed(3) ?? 'none yet'
    drawLines(byId('loss-curve'), [{ points }], {
      title: `Training loss by step, last ${last}`,
      xRange: [0, steps],
      yRange: [0, highest],
    })
    const accuracy = this.accuracies.map((y, index) => ({ x: index + 1, y }))
    const lowest = Math.min(0.9, ...this.accuracies)
    const epochs = Math.max(1, this.accuracies.length)
    drawLines(
      byId('accuracy-curve'),
      [{ points: accuracy.length === 1 ? [{ x: 0, y: lowest }, ...accuracy] : accuracy }],
      {
        title: `Test accuracy by epoch, last ${this.accuracies.length > 0 ? this.percent() : 'none yet'}`,
        xRange: [0, epochs],
        yRange: [lowest, 1],
      },
    )
  }

  private showConfusion(confusion: readonly number[][]): void {
    const table = document.createElement('table')
    const digits = confusion.map((_, digit) => String(digit))
    const cell = (tag: 'td' | 'th', text: string, scope?: string): HTMLElement => {
      const made = document.createElement(tag)
      made.textContent = text
      if (scope) made.setAttribute('scope', scope)
      return made
    }
    const head = document.createElement('tr')
    head.append(cell('td', ''), ...digits.map((digit) => cell('th', digit, 'col')))
    table.append(head)
    confusion.forEach((counts, digit) => {
      const row = document.createElement('tr')
      const total = counts.reduce((sum, count) => sum + count, 0) || 1
      row.append(cell('th', String(digit), 'row'))
      counts.forEach((count, taken) => {
        const data = cell('td', String(count))
        const share = taken === digit ? count / total : Math.min(1, (20 * count) / total)
        data.style.backgroundColor =
          taken === digit ? `rgb(16 185 129 / ${0.35 * share})` : `rgb(239 68 68 / ${0.45 * share})`
        row.append(data)
      })
      table.append(row)
    })
    byId('confusion').replaceChildren(table)
  }

  private showWrong(wrong: Extract<Event, { type: 'epoch' }>['wrong']): void {
    const items = wrong.map(({ pixels, label, prediction }) => {
      const item = document.createElement('li')
      const canvas = document.createElement('canvas')
      canvas.setAttribute('role', 'img')
      canvas.setAttribute('aria-label', `a ${label} taken for a ${prediction}`)
      paintGrey(canvas, pixels, 28)
      item.append(canvas, `${label} → ${prediction}`)
      return item
    })
    byId('wrong').replaceChildren(...items)
  }
}
