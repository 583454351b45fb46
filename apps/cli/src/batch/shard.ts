import { join } from 'node:path'
import type { JobContext } from '@rowwise/sweep'
import { z } from 'zod'
import { UsageError } from '../exit'
import { startBackend } from '../run/prepare'
import { imagesOf } from '../run/weights-and-data'
import { type LoadedModel, loadWeights } from '../run/weights-file'
import { pathOfJob } from '../sweep/path-of-job'
import { predictPictures } from './pictures'
import { predictSeries } from './series'

/** The weights' name among the files that all shards share. */
export const WEIGHTS = 'model.safetensors'

/** What all shards of a prediction have in common. */
const common = {
  /** Of the weights, so that a process that has loaded them knows it. */
  digest: z.string().length(64),
  rename: z.record(z.string(), z.string()).optional(),
  input: z.string().min(1),
}

/** A shard: some pictures of a directory, or some windows of a CSV file. */
const shardOf = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('pictures'), ...common, files: z.array(z.string().min(1)).min(1) },
    ...{
      mean: z.number().optional(),
      std: z.number().positive().optional(),
      classNames: z.array(z.string()).optional(),
    },
  }),
  z.strictObject({
    ...{ kind: z.literal('series'), ...common, delimiter: z.string().length(1).optional() },
    ...{ start: z.int().min(0), end: z.int().positive() },
  }),
])

/** What a shard is told. */
export type Shard = z.infer<typeof shardOf>

let loaded: { key: string; model: Promise<LoadedModel> } | null = null

/** Predicts a shard; its rows are the job's outcome. */
export async function shard(
  data: Readonly<Record<string, unknown>>,
  { shared }: JobContext,
): Promise<{ rows: object[] }> {
  const parsed = shardOf.safeParse(data)
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues
    throw new UsageError(`the shard's ${path.join('.')}: ${message}`)
  }
  const { digest, rename, input } = parsed.data
  const path = pathOfJob('input', input)
  await startBackend({})
  const weights = join(shared, WEIGHTS)
  const key = JSON.stringify([digest, rename])
  if (loaded?.key !== key) loaded = { key, model: loadWeights({ weights, rename }, false) }
  const model = await loaded.model.catch((error) => {
    loaded = null
    throw error
  })
  if (parsed.data.kind === 'pictures') {
    const { files, ...normalised } = parsed.data
    for (const file of files) pathOfJob('file', join(input, file))
    return { rows: await predictPictures(imagesOf({ weights, ...normalised }, model), path, files) }
  }
  if (!model.series) throw new UsageError('the weights do not forecast a time series')
  return { rows: await predictSeries(model, model.series, path, parsed.data) }
}
