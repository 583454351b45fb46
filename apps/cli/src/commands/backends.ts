import { selectBackend } from '@rowwise/backend-select'
import { describeRecurrent, kernelReport } from '@rowwise/models-rnn'
import type { CommonFlags } from '../options'
import { print, printJson } from '../show/print'

/** `rowwise backends`: what computes here, and why nothing better does. */
export async function backends(flags: CommonFlags): Promise<void> {
  const { name, simd, tfjsThreads, tried } = await selectBackend({ prefer: flags.backend })
  const { path, threads, requestedThreads, notes } = kernelReport()
  if (flags.json) {
    const recurrent = { computedBy: describeRecurrent(), path, threads, requestedThreads, notes }
    printJson({ name, simd, tfjsThreads, tried, recurrent })
    return
  }
  const rejections = tried.flatMap(({ name, code, reason, fix }) => [`  ${name} ${code}: ${reason}`, `    fix: ${fix}`])
  print(
    [
      "recurrent layers, by Rowwise's kernels:",
      `  ${describeRecurrent()}`,
      ...notes.map((note) => `    ${note}`),
      "all other operations, by TensorFlow.js's backend:",
      `  ${name}${simd ? ' with SIMD' : ''}`,
      ...(rejections.length > 0 ? ['better backends that do not run:', ...rejections] : []),
    ].join('\n'),
  )
}
