import { normalize } from '@rowwise/data-mnist/datasets'
import { byId } from '../elements'
import type { ModelInUse } from '../model-in-use'
import { drawLines } from '../show/line-chart'
import { paintGrey, paintSigned } from '../show/pixels'
import { centreDigit, SIDE } from './centre'
import { Pad } from './pad'
import { type Reading, readRows } from './read-rows'

const COLOURS = [
  '#3b82f6',
  '#f59e0b',
  '#10b981',
  '#ef4444',
  '#a855f7',
  '#06b6d4',
  '#ec4899',
  '#84cc16',
  '#f97316',
  '#64748b',
]
const REPLAY_MILLISECONDS = 90

/** Draws, reads and shows what was read, row by row. */
export class DrawPanel {
  private readonly pad: Pad
  private readonly slider = byId<HTMLInputElement>('row')
  private reading: Reading | null = null
  private image: Uint8Array | null = null
  private replay: ReturnType<typeof setInterval> | undefined

  constructor(
    private model: ModelInUse,
    nextExample: () => Promise<Uint8Array>,
  ) {
    this.pad = new Pad(byId('pad'), () => this.readDrawing())
    this.slider.addEventListener('input', () => this.showRow())
    byId('clear').addEventListener('click', () => this.pad.clear())
    byId('replay').addEventListener('click', () => this.replayRows())
    byId('example').addEventListener('click', async () => {
      const image = await nextExample().catch((error: Error) => {
        byId('verdict').textContent = `The test images did not load: ${error.message}.`
      })
      if (!image) return
      this.pad.show(image, SIDE)
      this.read(image)
      this.replayRows()
    })
    this.makeBars()
    this.showRow()
  }

  /** Reads what is drawn with other weights. */
  use(model: ModelInUse): void {
    this.model = model
    this.makeBars()
    this.showRow()
    if (this.image) this.read(this.image)
  }

  private readDrawing(): void {
    const image = centreDigit(this.pad.ink(), this.pad.side)
    if (image) this.read(image)
    else {
      this.reading = null
      this.image = null
      byId('verdict').textContent = 'Draw a digit.'
      this.showRow()
    }
  }

  private read(image: Uint8Array): void {
    this.image = image
    const { mean, std, classNames } = this.model.preprocessing
    const table = normalize(mean, std)
    const rows = Array.from({ length: SIDE }, (_, row) =>
      Float32Array.from(image.subarray(row * SIDE, (row + 1) * SIDE), (pixel) => table[pixel]),
    )
    this.reading = readRows(this.model.weights, this.model.cell, rows)
    this.slider.value = String(SIDE)
    this.showRow()
    const last = this.reading.probabilities[SIDE - 1]
    const best = last.indexOf(Math.max(...last))
    byId('verdict').textContent = `It reads a ${classNames[best]} (${(100 * last[best]).toFixed(1)} %).`
  }

  private replayRows(): void {
    clearInterval(this.replay)
    if (!this.reading) return
    let row = 0
    this.replay = setInterval(() => {
      row += 1
      this.slider.value = String(row)
      this.showRow()
      if (row >= SIDE) clearInterval(this.replay)
    }, REPLAY_MILLISECONDS)
  }

  private showRow(): void {
    const row = Number(this.slider.value)
    byId('row-output').textContent = String(row)
    paintGrey(byId('seen'), this.image ?? new Uint8Array(SIDE * SIDE), SIDE, row)
    const now = this.reading?.probabilities[row - 1]
    const best = now ? now.indexOf(Math.max(...now)) : -1
    for (const [digit, item] of [...byId('bars').children].entries()) {
      const share = now?.[digit] ?? 0
      item.classList.toggle('best', digit === best)
      ;(item.querySelector('.fill') as HTMLElement).style.width = `${100 * share}%`
      ;(item.querySelector('.percent') as HTMLElement).textContent = now ? `${(100 * share).toFixed(1)} %` : '–'
    }
    this.showCurves(row)
    this.showGates(row)
  }

  private showCurves(row: number): void {
    const lines = COLOURS.map((colour, digit) => ({
      colour,
      label:
        (this.reading?.probabilities[SIDE - 1][digit] ?? 0) > 0.1
          ? this.model.preprocessing.classNames[digit]
          : undefined,
      points: (this.reading?.probabilities ?? []).map((shares, index) => ({ x: index + 1, y: shares[digit] })),
    }))
    const title = 'Probability of each digit after each of 28 rows'
    drawLines(byId('row-curves'), lines, { title, xRange: [1, SIDE], yRange: [0, 1], marker: row })
  }

  private showGates(row: number): void {
    const { reading } = this
    const figures = this.model.cell.gates.map((name, gate) => {
      const figure = document.createElement('figure')
      const caption = document.createElement('figcaption')
      caption.textContent = name
      const canvas = document.createElement('canvas')
      canvas.setAttribute('role', 'img')
      canvas.setAttribute('aria-label', `${name} of every hidden unit at every row`)
      const size = reading?.hiddenSize ?? 1
      const columns = Array.from({ length: SIDE }, (_, index) => {
        const values = index < row ? reading?.gates[index] : undefined
        return values ? values.subarray(gate * size, (gate + 1) * size) : new Float64Array(size)
      })
      paintSigned(canvas, columns, size)
      figure.append(caption, canvas)
      return figure
    })
    byId('gates').replaceChildren(...figures)
  }

  private makeBars(): void {
    const items = Array.from({ length: 10 }, (_, digit) => {
      const item = document.createElement('li')
      const [name, track, fill, percent] = ['span', 'span', 'span', 'span'].map((tag) => document.createElement(tag))
      name.textContent = this.model.preprocessing.classNames[digit]
      name.className = 'name'
      name.style.borderLeftColor = COLOURS[digit] // the colour of its curve
      track.className = 'track'
      fill.className = 'fill'
      fill.style.display = 'block'
      percent.className = 'percent'
      track.append(fill)
      item.append(name, track, percent)
      return item
    })
    byId('bars').replaceChildren(...items)
  }
}
