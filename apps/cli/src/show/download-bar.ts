import type { DownloadProgress } from '@rowwise/data-mnist'
import { SingleBar } from 'cli-progress'

/** A bar per downloaded file, on standard error where that is a terminal, and nothing elsewhere. */
export class DownloadBar {
  private bar: SingleBar | null = null
  private file = ''

  show({ file, mirror, received, total = 0 }: DownloadProgress): void {
    if (process.stderr.isTTY !== true) return
    if (this.bar === null || this.file !== file) {
      this.stop()
      this.file = file
      this.bar = new SingleBar({ format: '{file} from {mirror} [{bar}] {megabytes} MB', stream: process.stderr })
      this.bar.start(total || received, 0, { file, mirror, megabytes: '0.0' })
    }
    if (!total) this.bar.setTotal(received)
    this.bar.update(received, { mirror, megabytes: (received / 1e6).toFixed(1) })
  }

  stop(): void {
    this.bar?.stop()
    this.bar = null
  }
}
