import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { UsageError } from '../exit'

/** Changes whenever a field of {@link Report} does. */
export const SCHEMA = 6

const workload = { kind: z.enum(['train', 'predict']), batch: z.number().int().positive() }

/** One workload of one subject; times in milliseconds. */
const row = z.object({
  /** The name in every table: `Rowwise, Node 26.10, 2 threads`. */
  subject: z.string(),
  /** `Rowwise`, `PyTorch 2.15 (oneDNN)`, …: peers are compared by the best row of each library. */
  library: z.string(),
  /** What runs it where there are several: `Node 26.10`, `Chromium 156`; else empty. */
  runtime: z.string(),
  threads: z.number(),
  isOurs: z.boolean(),
  ...workload,
  median: z.number().positive(),
  p75: z.number(),
  p99: z.number(),
  mad: z.number(),
  samplesPerSecond: z.number(),
  gflops: z.number(),
  /** Of what the threads in use can reach. */
  shareOfPeak: z.number(),
  steps: z.number(),
  firstStep: z.number().nullable(),
  leaked: z.number(),
  /** Median share of a step outside of the kernels, where these count their time. */
  outside: z.number().optional(),
  /** Median share of a training step that waits for its batch, where there is a loader. */
  loader: z.number().optional(),
  /** The median of each round, for ratios and noise. */
  rounds: z.array(z.number()),
  /** Some steps' times. */
  sample: z.array(z.number()),
})

/** A program that was measured. */
const subject = z.object({
  subject: z.string(),
  /** Versions, backend, kernels. */
  description: z.string(),
  threads: z.number(),
  /** Milliseconds from the start of its process until it is ready. */
  startUp: z.number(),
  /** MiB; null where the system does not tell. */
  peakMemory: z.number().nullable(),
})

/** A subject or workload that was not measured, and why. */
const absent = z.object({ subject: z.string(), reason: z.string() })

/** How a step's time grows with a size. */
const growth = z.object({
  of: z.string(),
  subject: z.string(),
  points: z.array(z.object({ size: z.number(), ms: z.number() })),
  exponent: z.number(),
})

/** A whole program, from its start to its end. */
const program = z.object({
  /** `rowwise train`, or the library. */
  program: z.string(),
  /** As a row's. */
  runtime: z.string(),
  epochs: z.number(),
  seconds: z.number(),
  /** MiB; null where the system does not tell. */
  peakMemory: z.number().nullable(),
})

/** The loss of a training run by step. */
const curve = z.object({ subject: z.string(), losses: z.array(z.number()) })

const machine = z.object({
  cpu: z.string(),
  /** The widest vectors of the processor, where the system tells: `AVX-512`, `AVX2`, `NEON`. */
  vectors: z.string().nullable(),
  cores: z.number(),
  memoryGiB: z.number(),
  os: z.string(),
  node: z.string(),
  v8: z.string(),
})

const network = z.object({
  time: z.number(),
  inputSize: z.number(),
  hiddenSize: z.number(),
  numLayers: z.number(),
  numClasses: z.number(),
  cell: z.enum(['lstm', 'gru']).optional(),
  bidirectional: z.boolean().optional(),
  lengths: z.boolean().optional(),
  vocabulary: z.number().optional(),
})

/** A training step of another network, on one thread. */
const otherNetwork = z.object({ name: z.string(), network, rows: z.array(row) })

/** How quiet the machine was during a benchmark. */
const quiet = z.object({
  /** Seconds that could have been waited; with 0 the machine was not watched. */
  patience: z.number(),
  /** Seconds that were waited. */
  waited: z.number(),
  /** Timed runs. */
  runs: z.number(),
  /** Runs that began while the machine was busy, because patience was over. */
  disturbed: z.number(),
})

/** Everything that a benchmark found. */
const report = z.object({
  schema: z.literal(SCHEMA),
  /** When it began, in ISO 8601. */
  date: z.string(),
  /** The command that makes it again. */
  command: z.string(),
  /** Whether it was ended before everything was measured. */
  isInterrupted: z.boolean(),
  machine,
  network,
  /** Measuring time in seconds, after the first round. */
  seconds: z.number(),
  /** Multiply-adds of one core, with the vectors of the best kernels. */
  peakGflops: z.number(),
  quiet,
  subjects: z.array(subject),
  rows: z.array(row),
  absent: z.array(absent),
  growth: z.array(growth),
  networks: z.array(otherNetwork),
  programs: z.array(program),
  curves: z.array(curve),
})

export type Report = z.infer<typeof report>
export type Row = z.infer<typeof row>
export type SubjectInfo = z.infer<typeof subject>
export type Absent = z.infer<typeof absent>
export type OtherNetwork = z.infer<typeof otherNetwork>
export type Growth = z.infer<typeof growth>
export type Program = z.infer<typeof program>
export type Curve = z.infer<typeof curve>
export type QuietReport = z.infer<typeof quiet>

/**
 * Reads a report that `--save` wrote.
 *
 * @param option the option or argument that named the file, for the message
 * @throws UsageError when there is no such file, or it is not a report of this version
 */
export async function readReport(path: string, option: string): Promise<Report> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new UsageError(`${option} '${path}' cannot be read (${cause.code}); make a report with --save FILE`, {
      cause,
    })
  })
  try {
    return report.parse(JSON.parse(text))
  } catch (cause) {
    throw new UsageError(
      `${option} '${path}' is not a report of this version (schema ${SCHEMA}); make a new one with --save FILE`,
      { cause },
    )
  }
}
