import { FAILURE } from '../exit'

/** What a reader or terminal that went away leaves behind. */
const READER_LEFT = ['EPIPE', 'EIO']

/** Drops what nobody reads any more, as in `rowwise-bench | head`; any other failure of an output is one line. */
export function handleOutputErrors(): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (READER_LEFT.includes(error.code ?? '')) return
    console.error(`rowwise-bench: the output cannot be written: ${error.message}`)
    process.exitCode = FAILURE
  })
}
