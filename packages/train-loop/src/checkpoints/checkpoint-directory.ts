import { removeStaleTemporaries, writeFileAtomically, writeFilesAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { decodeUtf8, encodeUtf8, isTypedArray, sha256 } from '@rowwise/host'
import { decodeSafetensors, encodeSafetensors, type Safetensor } from '@rowwise/safetensors'
import { CheckpointReadError, CheckpointWriteError } from '../errors'
import {
  type CheckpointEntry,
  decodeManifest,
  encodeManifest,
  FILE_NAME,
  type FileEntry,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type Manifest,
} from './manifest'
import { pack, unpack } from './plain-data'
import { checkRunState, type RunState } from './run-state'

// Without imports, so that a bundle for browsers, where a checkpoint directory is refused, has none to resolve.
const fs = (): typeof import('node:fs/promises') => process.getBuiltinModule('node:fs').promises
const join = (...parts: string[]): string => process.getBuiltinModule('node:path').join(...parts)

/** A file over this is no checkpoint of ours, whatever the manifest says. */
const MAX_FILE_BYTES = 2 ** 31

/** The tensor of a training file that holds its JSON. */
const JSON_TENSOR = 'state.json'

/** What a checkpoint is listed with; the files come from what is saved. */
export type CheckpointFacts = Pick<CheckpointEntry, 'step' | 'epoch' | 'batch' | 'score' | 'computedBy'>

/** A checkpoint that was read and verified. */
export interface StoredCheckpoint {
  entry: CheckpointEntry
  /** Weights by name. */
  weights: ReturnType<typeof decodeSafetensors>['tensors']
  run: RunState
  /** Why newer ones were passed over. */
  skipped: string[]
}

/**
 * A directory of checkpoints. Each is two files, written under names that were never used before; only then does a new
 * manifest replace the old one, and only then are files removed that it does not name. So at every instant the manifest names
 * complete checkpoints.
 */
export class CheckpointDirectory {
  private constructor(
    readonly path: string,
    private manifest: Manifest | null,
  ) {}

  /** @throws {@link CheckpointReadError} when there is a manifest that cannot be read. */
  static async open(path: string): Promise<CheckpointDirectory> {
    return new CheckpointDirectory(path, await readManifest(path))
  }

  /** The settings that the checkpoints were made with; null when there are none. */
  get config(): Record<string, unknown> | null {
    return this.newest === null ? null : (this.manifest as Manifest).config
  }

  /** What the newest checkpoint is listed with. */
  get newest(): CheckpointEntry | null {
    return this.manifest?.checkpoints.at(-1) ?? null
  }

  /** The one with the smallest score; null when none has one. */
  get best(): CheckpointEntry | null {
    return bestOf(this.manifest?.checkpoints ?? [])
  }

  /**
   * Reads the newest checkpoint that is whole.
   *
   * @throws {@link CheckpointReadError} that says what is wrong with each, when none is.
   */
  async readNewest(): Promise<StoredCheckpoint> {
    const skipped: string[] = []
    for (const entry of [...(this.manifest?.checkpoints ?? [])].reverse()) {
      try {
        return { ...(await this.read(entry)), skipped }
      } catch (error) {
        skipped.push((error as Error).message)
      }
    }
    throw new CheckpointReadError(`${this.path} holds no checkpoint that can be read: ${skipped.join('; ') || 'none'}`)
  }

  /**
   * Reads and verifies one checkpoint.
   *
   * @throws {@link CheckpointReadError}
   */
  async read(entry: CheckpointEntry): Promise<Omit<StoredCheckpoint, 'skipped'>> {
    try {
      return await this.readUnguarded(entry)
    } catch (cause) {
      throw new CheckpointReadError(`the checkpoint at step ${entry.step}: ${reasonOf(cause)}`, { cause })
    }
  }

  private async readUnguarded(entry: CheckpointEntry): Promise<Omit<StoredCheckpoint, 'skipped'>> {
    const { tensors: weights } = decodeSafetensors(await this.readFile(entry.weights))
    const { [JSON_TENSOR]: json, ...arrays } = decodeSafetensors(await this.readFile(entry.training)).tensors
    if (!isTypedArray(json?.data, 'Uint8Array'))
      throw new CheckpointReadError(`${entry.training.name} has no ${JSON_TENSOR}`)
    const state = unpack({ json: decodeUtf8(json.data), arrays })
    return { entry, weights, run: checkRunState(state) }
  }

  /**
   * Adds a checkpoint, and lets go of those that are neither among the `keep` newest nor the best.
   *
   * @throws {@link CheckpointWriteError} when it cannot be written; what was there then stays, and nothing else.
   */
  async save(
    facts: CheckpointFacts,
    weights: Readonly<Record<string, Safetensor>>,
    run: RunState,
    { keep, config }: { keep: number; config: Record<string, unknown> },
  ): Promise<void> {
    const sequence = (this.newest?.sequence ?? 0) + 1
    const stem = String(sequence).padStart(6, '0')
    const packed = pack(run, 'run')
    const json = encodeUtf8(packed.json)
    const files = {
      [`${stem}-weights.safetensors`]: encodeSafetensors(weights, { format: 'pt' }),
      [`${stem}-training.safetensors`]: encodeSafetensors({
        ...packed.arrays,
        [JSON_TENSOR]: { dtype: 'U8', shape: [json.length], data: json },
      }),
    }
    const [weightsFile, trainingFile] = await Promise.all(
      Object.entries(files).map(async ([name, bytes]) => ({ name, bytes: bytes.length, sha256: await sha256(bytes) })),
    )
    const entry: CheckpointEntry = { sequence, ...facts, weights: weightsFile, training: trainingFile }
    const manifest = { config, checkpoints: keepOf([...(this.manifest?.checkpoints ?? []), entry], keep) }
    try {
      await writeFilesAtomically(this.path, files)
      await writeFileAtomically(join(this.path, MANIFEST), encodeManifest(manifest))
      this.manifest = manifest
    } catch (cause) {
      await this.removeUnlisted().catch(() => {})
      throw new CheckpointWriteError(
        `${this.path}: the checkpoint at step ${facts.step} could not be written: ${reasonOf(cause)}; ` +
          `${this.describeNewest()}; fix that and resume`,
        { cause },
      )
    }
    await this.removeUnlisted()
  }

  /** Removes what an interrupted save left behind. */
  async removeUnlisted(): Promise<void> {
    const checkpoints = this.manifest?.checkpoints ?? []
    const listed = new Set(checkpoints.flatMap(({ weights, training }) => [weights.name, training.name]))
    const isOurs = (name: string): boolean => FILE_NAME.test(name) || name === MANIFEST
    await removeStaleTemporaries(this.path, isOurs)
    for (const name of await fs().readdir(this.path)) {
      // What cannot be removed harms nothing; the next save tries again.
      if (FILE_NAME.test(name) && !listed.has(name))
        await fs()
          .rm(join(this.path, name), { force: true })
          .catch(() => {})
    }
  }

  /** Where the newest checkpoint stands, in words for errors. */
  describeNewest(): string {
    const { newest } = this
    return newest === null
      ? 'there is no earlier one'
      : `the last good one is at step ${newest.step} (epoch ${newest.epoch}, batch ${newest.batch}) in ${this.path}`
  }

  private async readFile({ name, bytes, sha256: expected }: FileEntry): Promise<Uint8Array> {
    const content = await readRegularFile(join(this.path, name), MAX_FILE_BYTES)
    if (content.length !== bytes) {
      throw new CheckpointReadError(`${name} has ${content.length} bytes, the manifest says ${bytes}; it was altered`)
    }
    const found = await sha256(content)
    if (found !== expected) {
      throw new CheckpointReadError(`${name} has SHA-256 ${found}, the manifest says ${expected}; it was altered`)
    }
    return content
  }
}

async function readManifest(path: string): Promise<Manifest | null> {
  try {
    return decodeManifest(await readText(join(path, MANIFEST)))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CheckpointReadError(`${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** Follows no link, and looks at the size before it reads. */
async function readRegularFile(file: string, maxBytes: number): Promise<Uint8Array> {
  const status = await fs().lstat(file)
  if (!status.isFile()) throw new CheckpointReadError(`${file} is not a regular file`)
  if (status.size > maxBytes) {
    throw new CheckpointReadError(`${file} has ${status.size} bytes, expected at most ${maxBytes}`)
  }
  return fs().readFile(file)
}

function keepOf(checkpoints: CheckpointEntry[], keep: number): CheckpointEntry[] {
  const best = bestOf(checkpoints)
  return checkpoints.filter((entry, index) => index >= checkpoints.length - keep || entry === best)
}

function bestOf(checkpoints: readonly CheckpointEntry[]): CheckpointEntry | null {
  let best: CheckpointEntry | null = null
  for (const entry of checkpoints) {
    if (entry.score !== null && (best === null || entry.score < (best.score as number))) best = entry
  }
  return best
}

async function readText(file: string): Promise<string> {
  return decodeUtf8(await readRegularFile(file, MAX_MANIFEST_BYTES))
}
