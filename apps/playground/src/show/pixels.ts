/** Paints a grey image into a canvas of its own size; rows from `lit` on are dimmed. */
export function paintGrey(canvas: HTMLCanvasElement, pixels: ArrayLike<number>, side: number, lit = side): void {
  canvas.width = side
  canvas.height = side
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  const image = context.createImageData(side, side)
  for (let index = 0; index < side * side; index++) {
    const isRead = Math.floor(index / side) < lit
    const value = isRead ? pixels[index] : pixels[index] / 4
    image.data.set([value, value, isRead ? value : value + 40, 255], 4 * index)
  }
  context.putImageData(image, 0, 0)
}

/** Paints a matrix of values from −1 to 1: blue below zero, orange above. */
export function paintSigned(canvas: HTMLCanvasElement, columns: readonly ArrayLike<number>[], height: number): void {
  canvas.width = columns.length
  canvas.height = height
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  const image = context.createImageData(columns.length, height)
  columns.forEach((values, column) => {
    for (let row = 0; row < height; row++) {
      const strength = Math.min(1, Math.abs(values[row]))
      const colour = values[row] < 0 ? [59, 130, 246] : [245, 158, 11]
      image.data.set([...colour.map((part) => part * strength), 255], 4 * (row * columns.length + column))
    }
  })
  context.putImageData(image, 0, 0)
}
