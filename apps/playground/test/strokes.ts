type Point = readonly [number, number]

/** Points on an arc around a centre, from one angle to another in turns. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Point[] {
  return Array.from({ length: 25 }, (_, index) => {
    const angle = 2 * Math.PI * (from + ((to - from) * index) / 24)
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)] as const
  })
}

/** The ten digits as strokes of a pen, in shares of the drawing's side. */
export const STROKES: readonly (readonly (readonly Point[])[])[] = [
  [arc(0.5, 0.5, 0.2, 0.33, -0.25, 0.78)],
  [
    [
      [0.52, 0.15],
      [0.48, 0.85],
    ],
  ],
  [[...arc(0.5, 0.33, 0.2, 0.18, 0.5, 1.08), [0.3, 0.83], [0.75, 0.82]]],
  [[...arc(0.47, 0.32, 0.2, 0.17, 0.6, 1.22), ...arc(0.47, 0.66, 0.23, 0.19, 0.76, 1.4)]],
  [
    [
      [0.33, 0.15],
      [0.28, 0.52],
      [0.72, 0.5],
    ],
    [
      [0.68, 0.15],
      [0.62, 0.88],
    ],
  ],
  [[[0.72, 0.16], [0.36, 0.17], [0.33, 0.46], ...arc(0.47, 0.64, 0.22, 0.2, 0.68, 1.42)]],
  [[[0.62, 0.13], [0.42, 0.36], ...arc(0.48, 0.67, 0.17, 0.18, 0.55, 1.6)]],
  [
    [
      [0.27, 0.2],
      [0.73, 0.19],
      [0.58, 0.5],
      [0.45, 0.87],
    ],
  ],
  [[...arc(0.5, 0.32, 0.16, 0.16, 0.25, 1.25), ...arc(0.5, 0.66, 0.19, 0.18, -0.25, 0.75)]],
  [[...arc(0.48, 0.34, 0.18, 0.18, 0, 1), [0.65, 0.5], [0.6, 0.87]]],
]
