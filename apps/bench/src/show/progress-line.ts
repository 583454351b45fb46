/** One line that says what is going on, on standard error where that is a terminal, and nothing elsewhere. */
export class ProgressLine {
  private readonly visible = process.stderr.isTTY === true

  show(text: string): void {
    if (this.visible) process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }

  clear(): void {
    if (this.visible) process.stderr.write('\r\u001b[2K')
  }
}
