import { CheckpointReadError } from '../errors'

/** One file of a checkpoint. */
export interface FileEntry {
  name: string
  bytes: number
  sha256: string
}

/** One checkpoint, as the manifest lists it. */
export interface CheckpointEntry {
  /** Rises with every save, so that no file is ever written over one that a manifest names. */
  sequence: number
  /** Optimizer steps taken. */
  step: number
  /** The epoch under way. */
  epoch: number
  /** Steps of that epoch taken. */
  batch: number
  /** What the best has least of: a loss, or minus a metric; null in the middle of an epoch. */
  score: number | null
  /** What computed it: backend and kernels. */
  computedBy: string
  weights: FileEntry
  training: FileEntry
}

/** What lies in a checkpoint directory. */
export interface Manifest {
  /** The settings that a resumed run must share. */
  config: Record<string, unknown>
  /** Oldest first. */
  checkpoints: CheckpointEntry[]
}

export const MANIFEST = 'manifest.json'

const FORMAT = 'rowwise-checkpoints'
const VERSION = 2

/** Ours has some kilobytes; a larger one is no manifest. */
export const MAX_MANIFEST_BYTES = 1 << 20

/** The only names that are read, written or removed here besides the manifest's own. */
export const FILE_NAME = /^\d{6,15}-(weights|training)\.safetensors$/

export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...manifest }, null, 2)}\n`
}

/** @throws {@link CheckpointReadError} for anything that {@link encodeManifest} does not write. */
export function decodeManifest(text: string): Manifest {
  const { format, version, config, checkpoints } = parse(text)
  if (format !== FORMAT) throw new CheckpointReadError(`${MANIFEST}: format is ${show(format)}, expected "${FORMAT}"`)
  if (version !== VERSION) {
    throw new CheckpointReadError(
      `${MANIFEST}: version is ${show(version)}, this program reads ${VERSION}; use the one that wrote it`,
    )
  }
  if (!isObject(config) || !Array.isArray(checkpoints)) {
    throw new CheckpointReadError(`${MANIFEST}: has no config or no list of checkpoints; it was altered`)
  }
  return { config, checkpoints: checkpoints.map(checkEntry) }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // said below
  }
  throw new CheckpointReadError(`${MANIFEST}: is no JSON object; it was altered`)
}

function checkEntry(value: unknown, index: number): CheckpointEntry {
  const entry = value as CheckpointEntry
  const valid =
    isObject(value) &&
    [entry.sequence, entry.step, entry.epoch, entry.batch].every(isCount) &&
    (entry.score === null || Number.isFinite(entry.score)) &&
    typeof entry.computedBy === 'string' &&
    isFile(entry.weights) &&
    isFile(entry.training)
  if (!valid) throw new CheckpointReadError(`${MANIFEST}: checkpoint ${index} is malformed; it was altered`)
  return entry
}

function isFile(value: unknown): value is FileEntry {
  const { name, bytes, sha256 } = (isObject(value) ? value : {}) as Partial<FileEntry>
  return FILE_NAME.test(String(name)) && isCount(bytes) && /^[0-9a-f]{64}$/.test(String(sha256))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'missing'
}
