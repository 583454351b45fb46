const SVG = 'http://www.w3.org/2000/svg'
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [480, 200, 40, 20]

/** A line of a chart. */
export interface Line {
  points: readonly { x: number; y: number }[]
  /** A colour of its own; the page's accent otherwise. */
  colour?: string
  label?: string
}

/** What a chart shows. */
export interface ChartOptions {
  title: string
  yRange: readonly [number, number]
  xRange: readonly [number, number]
  /** Draws a vertical line here. */
  marker?: number
}

/** Draws lines into an element, as SVG with a title for screen readers. */
export function drawLines(target: HTMLElement, lines: readonly Line[], options: ChartOptions): void {
  const { title, xRange, yRange, marker } = options
  const x = (value: number): number => LEFT + ((value - xRange[0]) / (xRange[1] - xRange[0] || 1)) * (WIDTH - LEFT - 30)
  const y = (value: number): number =>
    HEIGHT - BOTTOM - ((value - yRange[0]) / (yRange[1] - yRange[0] || 1)) * (HEIGHT - BOTTOM - 10)
  const svg = element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title })
  for (const share of [0, 0.5, 1]) {
    const value = yRange[0] + share * (yRange[1] - yRange[0])
    svg.append(element('line', { class: 'axis', x1: LEFT, x2: WIDTH - 30, y1: y(value), y2: y(value) }))
    svg.append(element('text', { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, shorten(value)))
    const across = xRange[0] + share * (xRange[1] - xRange[0])
    svg.append(element('text', { x: x(across), y: HEIGHT - 4, 'text-anchor': 'middle' }, shorten(across)))
  }
  for (const { points, colour, label } of lines) {
    const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ')
    const line = element('polyline', { class: 'curve', points: path })
    if (colour) line.style.stroke = colour
    svg.append(line)
    const last = points.at(-1)
    if (label && last) svg.append(element('text', { x: x(last.x) + 4, y: y(last.y) + 4 }, label))
  }
  if (marker !== undefined) {
    svg.append(element('line', { class: 'axis', x1: x(marker), x2: x(marker), y1: 10, y2: HEIGHT - BOTTOM }))
  }
  target.replaceChildren(svg)
}

function element(name: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  made.textContent = text
  return made
}

function shorten(value: number): string {
  return Math.abs(value) >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(2)
}
