import { type Box, extent, join, type Plane } from './plane'

/** Pixels that hang together. */
export interface Piece {
  /** Its number in the labels. */
  label: number
  box: Box
  area: number
  /** Sum of the values of its pixels. */
  weight: number
  /** How many pixels it has along the picture's top, right, bottom and left side. */
  sides: [number, number, number, number]
  /** How many of its pixels are not along the sides of its box. */
  inner: number
  /** How much of its outline is where the tone changes, from 0 to 1; less where a shadow fades or a window ends. */
  sharp: number
}

/** The pieces of the pixels over a threshold, neighbours in eight directions, and for each pixel its piece's label or 0. */
export function piecesOver(
  { width, height, values }: Plane,
  threshold: number,
  tone: Plane,
  difference: Float32Array,
): { pieces: Piece[]; labels: Int32Array } {
  const labels = new Int32Array(values.length)
  const stack = new Int32Array(values.length)
  const pieces: Piece[] = []
  for (let start = 0; start < values.length; start++) {
    if (labels[start] !== 0 || !(values[start] > threshold)) continue
    const label = pieces.length + 1
    const box: Box = { left: width, top: height, right: 0, bottom: 0 }
    const piece: Piece = { label, box, area: 0, weight: 0, sides: [0, 0, 0, 0], inner: 0, sharp: 0 }
    labels[start] = label
    stack[0] = start
    for (let size = 1; size > 0; ) {
      const at = stack[--size]
      const [x, y] = [at % width, Math.floor(at / width)]
      piece.area += 1
      piece.weight += values[at]
      piece.sides[0] += Number(y === 0)
      piece.sides[1] += Number(x === width - 1)
      piece.sides[2] += Number(y === height - 1)
      piece.sides[3] += Number(x === 0)
      box.left = Math.min(box.left, x)
      box.top = Math.min(box.top, y)
      box.right = Math.max(box.right, x + 1)
      box.bottom = Math.max(box.bottom, y + 1)
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const next = row * width + column
          if (labels[next] !== 0 || !(values[next] > threshold)) continue
          labels[next] = label
          stack[size++] = next
        }
      }
    }
    pieces.push(piece)
  }
  countInner(pieces, labels, width)
  measureOutlines(pieces, labels, tone, difference)
  return { pieces, labels }
}

/** Sides are this share of a box; a frame has nothing within, a zero has its shoulders there. */
const SIDES = 0.12

function countInner(pieces: Piece[], labels: Int32Array, width: number): void {
  for (let index = 0; index < labels.length; index++) {
    if (labels[index] === 0) continue
    const piece = pieces[labels[index] - 1]
    const { left, top, right, bottom } = piece.box
    const [x, y] = [(index % width) + 0.5 - left, Math.floor(index / width) + 0.5 - top]
    const across = x / (right - left)
    const down = y / (bottom - top)
    if (Math.min(across, 1 - across) > SIDES && Math.min(down, 1 - down) > SIDES) piece.inner += 1
  }
}

/** How far a blurred outline reaches to each side, in pixels. */
const BLUR = 3

/** Compares tones on both sides of each piece's outline with the contrast that it claims there. */
function measureOutlines(pieces: Piece[], labels: Int32Array, tone: Plane, difference: Float32Array): void {
  const { width, height, values } = tone
  const outline = new Int32Array(pieces.length)
  const sharp = new Int32Array(pieces.length)
  for (let index = 0; index < labels.length; index++) {
    if (labels[index] === 0) continue
    const [x, y] = [index % width, Math.floor(index / width)]
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      const room = Math.min(BLUR, dx === 0 ? (dy > 0 ? height - 1 - y : y) : dx > 0 ? width - 1 - x : x)
      const step = dy * width + dx
      if (room === 0 || labels[index + step] === labels[index]) continue
      let change = 0
      for (let k = 1; k <= room; k++) change = Math.max(change, Math.abs(values[index + k * step] - values[index]))
      outline[labels[index] - 1] += 1
      if (change > 0.5 * difference[index]) sharp[labels[index] - 1] += 1
    }
  }
  for (const piece of pieces) {
    const at = piece.label - 1
    piece.sharp = outline[at] === 0 ? 0 : sharp[at] / outline[at]
  }
}

/**
 * The pieces of one drawing: the heaviest, and those near it; undefined without any. What looks like an edge of the paper
 * counts less, so that it is taken only where there is nothing else.
 */
export function choosePieces(pieces: readonly Piece[], width: number, height: number): Piece[] | undefined {
  const longer = Math.max(width, height)
  const worth = new Map<Piece, number>()
  for (const piece of pieces) {
    const isLarge = piece.area >= 6 && extent(piece.box) >= Math.max(3, 0.02 * longer)
    if (isLarge && piece.sharp > 0.75) worth.set(piece, worthOf(piece, width, height))
  }
  if (worth.size === 0) return undefined
  const value = (piece: Piece): number => piece.weight * (worth.get(piece) ?? 0)
  const main = [...worth.keys()].reduce((best, piece) => (value(piece) > value(best) ? piece : best))
  const candidates = [...worth.keys()].filter((piece) => (worth.get(piece) ?? 0) >= (worth.get(main) ?? 0))
  const chosen = [main]
  const reach = 0.35 * extent(main.box)
  for (let grown = true; grown; ) {
    const near = candidates.filter(
      (piece) =>
        !chosen.includes(piece) &&
        piece.area >= 0.02 * main.area &&
        chosen.some(({ box }) => gap(box, piece.box) <= reach),
    )
    chosen.push(...near)
    grown = near.length > 0
  }
  const squares = (of: readonly Piece[]): number => of.reduce((sum, { area }) => sum + area ** 2, 0)
  return squares(chosen) > 0.5 * squares(candidates) ? chosen : undefined
}

/** 1 for a drawing; less for what looks like a frame, a ruled line, or the desk beside the paper or at its corner. */
function worthOf({ box, sides, area, inner }: Piece, width: number, height: number): number {
  const [across, down] = [box.right - box.left, box.bottom - box.top]
  const [top, right, bottom, left] = sides
  const isFrame = inner < 0.02 * area && across > 0.6 * width && down > 0.6 * height
  const isLine = (across > 0.95 * width && down < 0.15 * height) || (down > 0.95 * height && across < 0.15 * width)
  const isBeside = Math.max(top, bottom) > 0.95 * width || Math.max(left, right) > 0.95 * height
  if (isFrame || isLine || isBeside) return 0.001
  const touches = top + right + bottom + left
  const isAtCorner = Math.min(Math.max(top, bottom), Math.max(left, right)) > 0
  const lies = (side: number, length: number, whole: number): boolean => side > 0.6 * length && length > 0.25 * whole
  const isAlong =
    (top + bottom === 0 && lies(Math.max(left, right), down, height)) ||
    (left + right === 0 && lies(Math.max(top, bottom), across, width))
  return isAlong || (isAtCorner && touches > 0.1 * (width + height)) ? 0.1 : 1
}

function gap(a: Box, b: Box): number {
  return Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom, 0)
}

/** The box around pieces. */
export function boxAround(pieces: readonly Piece[]): Box {
  return pieces.map(({ box }) => box).reduce(join)
}
