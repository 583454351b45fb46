import { PNG } from 'pngjs'
import { bytes, double, doubles, float, integer, message } from './protobuf'

// Messages `Summary.Value` of tensorflow/core/framework/summary.proto.

/** One number. */
export function scalar(tag: string, value: number): Uint8Array {
  return message(bytes(1, tag), float(2, value))
}

/** How numbers are spread: in buckets that grow by a tenth, as TensorFlow's own. */
export function histogram(tag: string, values: Float32Array): Uint8Array {
  const counts = new Map<number, number>()
  let [min, max, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (const value of values) {
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
    squares += value * value
    const bucket = bucketOf(value)
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  const used = [...counts.keys()].sort((a, b) => a - b)
  const proto = message(
    ...[double(1, min), double(2, max), double(3, values.length), double(4, sum), double(5, squares)],
    doubles(
      6,
      used.map((bucket) => LIMITS[bucket]),
    ),
    doubles(
      7,
      used.map((bucket) => counts.get(bucket) as number),
    ),
  )
  return message(bytes(1, tag), bytes(5, proto))
}

/** The upper ends of the buckets, ascending. */
const LIMITS = ((): number[] => {
  const positive: number[] = []
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit)
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive, Number.MAX_VALUE]
})()

/** The first bucket whose end is over a value. */
function bucketOf(value: number): number {
  let [left, right] = [0, LIMITS.length - 1]
  while (left < right) {
    const middle = (left + right) >> 1
    if (LIMITS[middle] > value) right = middle
    else left = middle + 1
  }
  return left
}

/** A picture of a confusion matrix, a row for each class, each row's share from white to blue. */
export function confusionPicture(tag: string, confusion: readonly (readonly number[])[]): Uint8Array {
  const side = Math.max(1, Math.floor(400 / confusion.length))
  const size = side * confusion.length
  const png = new PNG({ width: size, height: size })
  for (let y = 0; y < size; y++) {
    const row = confusion[Math.floor(y / side)]
    const total = row.reduce((sum, count) => sum + count, 0) || 1
    for (let x = 0; x < size; x++) {
      const share = row[Math.floor(x / side)] / total
      const isLine = side > 4 && (x % side === 0 || y % side === 0)
      const colour = isLine ? [210, 210, 210] : [255 - 227 * share, 255 - 171 * share, 255 - 79 * share]
      png.data.set([...colour.map(Math.round), 255], 4 * (y * size + x))
    }
  }
  const image = message(
    integer(1, size),
    integer(2, size),
    integer(3, 3),
    bytes(4, PNG.sync.write(png, { colorType: 2 })),
  )
  return message(bytes(1, tag), bytes(4, image))
}

/**
 * The settings of a run and the metrics to compare it by, for the tab HParams: messages of
 * tensorboard/plugins/hparams/plugin_data.proto in the metadata of three values.
 */
export function hparams(settings: Readonly<Record<string, unknown>>, metrics: readonly string[]): Uint8Array[] {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined)
  const experiment = message(
    ...entries.map(([name, value]) => bytes(4, message(bytes(1, name), integer(4, TYPES[typeOf(value)])))),
    ...metrics.map((tag) => bytes(5, message(bytes(1, message(bytes(2, tag)))))),
  )
  const start = message(
    ...entries.map(([name, value]) => bytes(1, message(bytes(1, name), bytes(2, protobufValue(value))))),
    double(5, Date.now() / 1000),
  )
  return [plugin('_hparams_/experiment', bytes(2, experiment)), plugin('_hparams_/session_start_info', bytes(3, start))]
}

/** That a run has ended well. */
export function sessionEnd(): Uint8Array {
  return plugin('_hparams_/session_end_info', bytes(4, message(integer(1, 1), double(2, Date.now() / 1000))))
}

/** DataType of hparams/api.proto. */
const TYPES = { string: 1, boolean: 2, number: 3 } as const

function typeOf(value: unknown): keyof typeof TYPES {
  return typeof value === 'number' || typeof value === 'boolean' ? (typeof value as 'number') : 'string'
}

/** A google.protobuf.Value. */
function protobufValue(value: unknown): Uint8Array {
  if (typeof value === 'number') return message(double(2, value))
  if (typeof value === 'boolean') return message(integer(4, value ? 1 : 0))
  return message(bytes(3, Array.isArray(value) ? value.join(', ') : String(value)))
}

function plugin(tag: string, content: Uint8Array): Uint8Array {
  const data = message(bytes(1, 'hparams'), bytes(2, content))
  return message(bytes(1, tag), bytes(9, message(bytes(1, data))))
}
