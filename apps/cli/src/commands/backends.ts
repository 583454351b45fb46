import { describeLSTM, kernelReport } from '@rowwise/models-rnn'
import type { CommonFlags } from '../options'
import { startBackend } from '../run/prepare'
import { print, printJson } from '../show/print'

/** `rowwise backends`: which backend runs here, and why the better ones do not. */
export async function backends(flags: CommonFlags): Promise<void> {
  const { name, simd, threads, tried } = await startBackend(flags)
  if (flags.json) {
    printJson({ name, simd, threads, tried, lstm: { computedBy: describeLSTM(), ...kernelReport() } })
    return
  }
  const rows = tried.map(
    (rejection) => `${rejection.name.padEnd(5)} ${rejection.code}: ${rejection.reason}\n      fix: ${rejection.fix}`,
  )
  const notes = kernelReport().notes.map((note) => `      ${note}`)
  print(
    [
      ...rows,
      `${name.padEnd(5)} runs${simd ? ', with SIMD' : ''}`,
      `LSTM  computed by: ${describeLSTM()}`,
      ...notes,
    ].join('\n'),
  )
}
