import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { makeDirectory } from '@rowwise/atomic-file'
import { isImageName } from '@rowwise/data/images'
import { reasonOf } from '@rowwise/errors'
import { type Job, runJobs } from '@rowwise/sweep'
import { SingleBar } from 'cli-progress'
import { FAILURE, UsageError } from '../exit'
import type { CommonFlags } from '../options'
import { startBackend } from '../run/prepare'
import { tableOf } from '../run/series-in-use'
import { imagesOf, type UseFlags } from '../run/weights-and-data'
import { type LoadedModel, loadWeights } from '../run/weights-file'
import { isSameFile, placeOf } from '../run/write-output'
import { optionOf } from '../show/option-name'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'
import { stopOnSignal } from '../stop-on-signal'
import { connectionOf, engineOf, type WhereFlags } from '../sweep/where'
import { formatOf, Parts } from './output'
import { type Shard, WEIGHTS } from './shard'

/** The flags of `rowwise predict --batch`. */
export interface BatchFlags extends WhereFlags {
  batch?: string
}

/** Pictures, or windows of a time series, that a job predicts. Small enough to be lost without grief, large enough to be worth sending. */
const PICTURES = 256
const WINDOWS = 4096

/** Numbers of a shard's outcome, each of which is some 20 characters. */
const NUMBERS = 40_000

/** `rowwise predict --batch`: predicts a large input in shards, on this machine or on those that serve a queue, into one file. */
export async function predictBatch(input: string, flags: CommonFlags & UseFlags & BatchFlags): Promise<void> {
  const began = performance.now()
  const { out = 'predictions.csv', ...where } = flags
  const format = formatOf(out)
  await placeOf('--out', out)
  if (await isSameFile(input, out))
    throw new UsageError(`--out ${out} is the input, which would be lost; choose another name`)
  if (flags.backend !== undefined) process.env.ROWWISE_BACKEND = flags.backend // for the processes, too
  await startBackend(flags)
  const model = await loadWeights(flags)
  const shards = await shardsOf(input, flags, model)
  const jobs = shards.map((data, k): Job => ({ key: String(k), kind: 'shard', data: { ...data } }))
  const stamps = await stampsOf(input, shards)
  const definition = {
    shards: createHash('sha256')
      .update(JSON.stringify([jobs, stamps]))
      .digest('hex'),
  }
  const place = `${out}.parts`
  const engine = await engineOf(where, { directory: place, isUsers: false })
  const shared = await mkdtemp(join(tmpdir(), 'rowwise-weights-'))
  const stop = stopOnSignal()
  const bar =
    process.stderr.isTTY === true && !flags.json
      ? new SingleBar({ stream: process.stderr, clearOnComplete: true })
      : null
  const parts = new Parts(join(place, 'rows'), format)
  const failed: string[] = []
  let count = 0
  bar?.start(jobs.length, 0)
  try {
    await makeDirectory(dirname(resolve(out)))
    await copyFile(flags.weights as string, join(shared, WEIGHTS))
    const name = `predict-${definition.shards.slice(0, 16)}`
    const isDone = await runJobs(jobs, {
      ...{ name, definition, engine, shared, signal: stop.signal },
      async onOutcome(outcome, done) {
        await parts.add(outcome)
        count = done
        bar?.update(done)
        if (outcome.status === 'failed')
          failed.push(`shard ${outcome.key} failed, its rows are missing: ${outcome.reason}`)
      },
    })
    bar?.stop()
    if (!isDone) {
      process.exitCode = stop.exitCode()
      if (!flags.json) print(`Stopped: ${count} of ${jobs.length} shards are done; the same command goes on`)
      return
    }
    await parts.join(
      out,
      jobs.map(({ key }) => key),
    )
    await rm(place, { recursive: true, force: true })
    const seconds = (performance.now() - began) / 1000
    const { rows, errors } = parts
    if (failed.length > 0) process.exitCode = FAILURE
    if (flags.json) printJson({ out, rows, errors, shards: jobs.length, failed: failed.length, seconds })
    else {
      const unread = errors > 0 ? `, ${errors} of which could not be read` : ''
      print(`${rows} predictions${unread} in ${duration(seconds)}; in ${out}`)
      for (const line of failed) console.error(`rowwise: ${line}`)
    }
  } finally {
    bar?.stop()
    stop.dispose()
    await rm(shared, { recursive: true, force: true })
  }
}

/** Sizes and times of the input's files, so that one that was changed is predicted again. */
async function stampsOf(input: string, shards: readonly Shard[]): Promise<number[]> {
  const files = shards.flatMap((shard) =>
    shard.kind === 'pictures' ? shard.files.map((name) => join(input, name)) : [],
  )
  const stamps: number[] = []
  for (const file of files.length > 0 ? files : [input]) {
    const { size, mtimeMs } = await stat(file)
    stamps.push(size, mtimeMs)
  }
  return stamps
}

/** Cuts the input; refuses weights that are for something else. */
async function shardsOf(input: string, flags: UseFlags & BatchFlags, model: LoadedModel): Promise<Shard[]> {
  const isLocal = connectionOf(flags) === undefined
  if (!isLocal && (isAbsolute(input) || normalize(input).startsWith('..'))) {
    throw new UsageError(
      `--batch ${input} leads out of the workers' directory; with --redis name it from their --root on, and start in that directory here`,
    )
  }
  const path = isLocal ? resolve(input) : input // other machines have their own root
  const digest = createHash('sha256')
    .update(await readFile(flags.weights as string))
    .digest('hex')
  const common = { digest, input: path, ...(flags.rename && { rename: flags.rename }) }
  const found = await stat(input).catch((cause) => {
    throw new UsageError(
      `--batch ${input} cannot be read: ${reasonOf(cause)}; pass a directory of pictures, or a .csv file`,
      { cause },
    )
  })
  if (!found.isDirectory()) {
    refuseFlags(
      flags,
      ['mean', 'std', 'classNames', 'variant', 'data', 'source', 'images'],
      'images, and --batch is a time series',
    )
    return seriesShards(input, flags, model, common)
  }
  refuseFlags(flags, ['variant', 'data', 'source', 'images'], 'one image of a data set, and --batch names pictures')
  const { mean, std, classNames } = flags
  imagesOf(flags, model) // says what the weights are for
  const names = (await readdir(input, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && isImageName(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(input, '/').length))
    .sort()
  if (names.length === 0) throw new UsageError(`--batch ${input} has no pictures; pass a directory that has some`)
  const size = Math.max(1, Math.min(PICTURES, Math.floor(NUMBERS / model.model.config.numClasses)))
  return cut(names.length, size).map(([start, end]) => ({
    ...{ kind: 'pictures', ...common, files: names.slice(start, end), mean, std, classNames },
  }))
}

function refuseFlags(flags: UseFlags, names: readonly (keyof UseFlags)[], what: string): void {
  const given = names.find((name) => flags[name] !== undefined)
  if (given !== undefined) throw new UsageError(`${optionOf(given)} is for ${what}; leave it out`)
}

async function seriesShards(
  input: string,
  { delimiter, weights }: UseFlags,
  { series }: LoadedModel,
  common: Pick<Shard, 'digest' | 'input' | 'rename'>,
): Promise<Shard[]> {
  if (!series) throw new UsageError(`${weights} tells images apart, and ${input} is no directory of pictures; pass one`)
  const { rows } = await tableOf(input, series, delimiter)
  const count = rows - series.window + 1
  if (count < 1) throw new UsageError(`${input} has ${rows} rows, the model reads ${series.window}; give it more`)
  const size = Math.max(1, Math.min(WINDOWS, Math.floor(NUMBERS / (series.horizon * series.target.length))))
  return cut(count, size).map(([start, end]) => ({ kind: 'series', ...common, delimiter, start, end }))
}

function cut(length: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(length / size) }, (_, k) => [k * size, Math.min(length, (k + 1) * size)])
}
