/**
 * Draws a grey-scale image with half blocks, two rows of pixels a line; a pixel over a third of full brightness is set.
 *
 * @param pixels uint8 `[height, width]`
 */
export function drawImage(pixels: Uint8Array, height: number, width: number): string {
  const isSet = (row: number, column: number): boolean => row < height && pixels[row * width + column] > 85
  const lines: string[] = []
  for (let row = 0; row < height; row += 2) {
    let line = ''
    for (let column = 0; column < width; column++) {
      const [upper, lower] = [isSet(row, column), isSet(row + 1, column)]
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(line.trimEnd())
  }
  return lines.join('\n')
}

/** A bar per class with its probability, the most probable marked. */
export function drawProbabilities(probabilities: ArrayLike<number>, classNames: readonly string[]): string {
  const values = Array.from(probabilities)
  const best = values.indexOf(Math.max(...values))
  const width = Math.max(...classNames.map((name) => name.length))
  return values
    .map((value, index) => {
      const bar = '█'.repeat(Math.round(value * 40))
      const percent = `${(100 * value).toFixed(1)}%`.padStart(6)
      return `${index === best ? '>' : ' '} ${(classNames[index] ?? String(index)).padEnd(width)} ${percent} ${bar}`.trimEnd()
    })
    .join('\n')
}
