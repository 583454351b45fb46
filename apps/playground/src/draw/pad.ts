const PEN_WIDTH = 22
const KEY_STEP = 8

/** Where one draws: with a pointer, or with the keyboard alone. */
export class Pad {
  private readonly context: CanvasRenderingContext2D
  private drawing = false
  /** Whether the keyboard's pen is down. */
  private isPenDown = false
  private cursor = { x: 140, y: 140 }
  private last: { x: number; y: number } | null = null

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onChange: () => void,
  ) {
    this.context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId)
      this.drawing = true
      this.last = null
      this.strokeTo(this.positionOf(event))
    })
    canvas.addEventListener('pointermove', (event) => {
      if (this.drawing) for (const part of [...event.getCoalescedEvents(), event]) this.strokeTo(this.positionOf(part))
    })
    for (const end of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(end, () => {
        this.drawing = false
        this.onChange()
      })
    }
    canvas.addEventListener('keydown', (event) => this.onKey(event))
  }

  clear(): void {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    this.last = null
    this.drawing = this.isPenDown = false
    this.onChange()
  }

  /** Shows an image in the place of a drawing. */
  show(pixels: Uint8Array, side: number): void {
    const scale = this.canvas.width / side
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    pixels.forEach((value, index) => {
      this.context.fillStyle = `rgb(${value} ${value} ${value})`
      this.context.fillRect((index % side) * scale, Math.floor(index / side) * scale, scale, scale)
    })
  }

  /** Brightness `[side, side]`. */
  ink(): Uint8Array {
    const { data, width, height } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height)
    return Uint8Array.from({ length: width * height }, (_, pixel) => (data[4 * pixel] * data[4 * pixel + 3]) / 255)
  }

  get side(): number {
    return this.canvas.width
  }

  private onKey(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-KEY_STEP, 0],
      ArrowRight: [KEY_STEP, 0],
      ArrowUp: [0, -KEY_STEP],
      ArrowDown: [0, KEY_STEP],
    }
    const move = moves[event.key]
    if (!move && event.key !== ' ') return
    event.preventDefault()
    if (move) {
      const inside = (value: number): number => Math.min(this.canvas.width, Math.max(0, value))
      this.cursor = { x: inside(this.cursor.x + move[0]), y: inside(this.cursor.y + move[1]) }
      if (this.isPenDown) this.strokeTo(this.cursor)
    } else {
      this.isPenDown = !this.isPenDown
      this.last = null
      if (this.isPenDown) this.strokeTo(this.cursor)
      else this.onChange()
    }
  }

  private positionOf(event: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.canvas.getBoundingClientRect()
    return {
      x: ((event.clientX - left) * this.canvas.width) / width,
      y: ((event.clientY - top) * this.canvas.height) / height,
    }
  }

  private strokeTo(to: { x: number; y: number }): void {
    const { context } = this
    const from = this.last ?? to
    context.strokeStyle = '#fff'
    context.lineWidth = PEN_WIDTH
    context.lineCap = 'round'
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.lineTo(to.x, to.y)
    context.stroke()
    this.last = to
  }
}
