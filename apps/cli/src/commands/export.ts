import { extname, join } from 'node:path'
import { type Layer, save } from '@rowwise/models-rnn'
import { UsageError } from '../exit'
import type { CommonFlags } from '../options'
import { startBackend } from '../run/prepare'
import { readModel, type WeightsFlags } from '../run/weights-file'
import { isSameFile, isStandardOutput, placeOf, writeOutput } from '../run/write-output'
import { print, printJson } from '../show/print'

/** What weights are written as. */
const FORMATS = ['onnx', 'keras', 'tfjs', 'safetensors'] as const

/** The flags of `rowwise export`. */
export interface ExportFlags extends CommonFlags, WeightsFlags {
  to?: (typeof FORMATS)[number]
  out?: string
}

/** `rowwise export`: weights as the file of another library, with how images are prepared in its metadata. */
export async function exportWeights(flags: ExportFlags): Promise<void> {
  const { to, out } = flags
  if (to === undefined) throw new UsageError(`as what? pass --to ${FORMATS.join('|')}`)
  if (out === undefined) throw new UsageError(`where? pass --out ${to === 'tfjs' ? 'DIRECTORY' : 'FILE'}`)
  requireEnding(to, out)
  if (await isSameFile(out, flags.weights)) {
    throw new UsageError(`--out ${out} is the file behind --weights, which would be lost; choose another name`)
  }
  if (flags.json && isStandardOutput(out)) throw new UsageError(`--out ${out} is where --json prints; leave one out`)
  await startBackend(flags)
  const { layer, metadata } = await readModel(flags)
  const kept = Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'format' && name !== 'config'))
  const files = await encode(layer, to, out, kept)
  for (const [path, content] of files) await writeOutput('--out', path, content)
  if (flags.json) printJson({ weights: flags.weights, to, files: files.map(([path]) => path) })
  else
    for (const [path, { length }] of files)
      if ((await placeOf('--out', path)).isFile) print(`${path}: ${(length / 1000).toFixed(1)} kB`)
}

/** Refuses a name that says another format: whoever reads the file goes by it. */
function requireEnding(to: (typeof FORMATS)[number], out: string): void {
  const ending = extname(out).slice(1)
  const known = ['onnx', 'keras', 'h5', 'safetensors', 'json', 'bin', 'pt', 'pth']
  if (to === 'tfjs' || ending === to || !known.includes(ending)) return
  throw new UsageError(`--out ${out} ends in .${ending}, and --to is ${to}; name it .${to}`)
}

/** The files of a format, with their paths. */
async function encode(
  layer: Layer,
  to: (typeof FORMATS)[number],
  out: string,
  metadata: Readonly<Record<string, string>>,
): Promise<[path: string, content: Uint8Array][]> {
  if (to === 'safetensors') return [[out, await save(layer, { metadata })]]
  if (to === 'onnx') return [[out, await (await import('@rowwise/onnx')).toOnnx(layer, { metadata })]]
  const { toKeras, toLayersArtifacts } = await import('@rowwise/keras')
  if (to === 'keras') return [[out, await toKeras(layer, { metadata })]]
  const { modelTopology, weightSpecs, weightData, userDefinedMetadata } = await toLayersArtifacts(layer, { metadata })
  const weights = 'group1-shard1of1.bin'
  const description = {
    ...{ format: 'layers-model', generatedBy: 'rowwise', convertedBy: null, modelTopology, userDefinedMetadata },
    weightsManifest: [{ paths: [weights], weights: weightSpecs }],
  }
  return [
    [join(out, weights), new Uint8Array(weightData)],
    [join(out, 'model.json'), new TextEncoder().encode(JSON.stringify(description))],
  ]
}
