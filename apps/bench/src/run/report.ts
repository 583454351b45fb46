import { z } from 'zod'
import type { QuietReport } from './quietness'

/** Changes whenever a field of {@link Report} does. */
export const SCHEMA = 4

/** One workload of one contestant; times in milliseconds. */
export interface Row {
  contestant: string
  isOurs: boolean
  kind: 'train' | 'predict'
  batch: number
  median: number
  p75: number
  p99: number
  mad: number
  samplesPerSecond: number
  gflops: number
  /** Of what the threads in use could do at most in WebAssembly; above 1 for native libraries with wider vectors. */
  shareOfPeak: number
  steps: number
  firstStep: number
  leaked: number
  /** Share of the time that was spent outside of the kernels, where these count it. */
  outside?: number
  /** The median of each round, for ratios and noise. */
  rounds: number[]
  /** Some steps' times. */
  sample: number[]
}

/** Who took part. */
export interface Participant {
  contestant: string
  description: string
  threads: number
  startUp: number
  /** MiB. */
  peakMemory: number
}

/** Who or what was not measured, and why. */
export interface Absent {
  contestant: string
  reason: string
}

/** How a step's time grows with a size. */
export interface Growth {
  of: string
  contestant: string
  points: { size: number; ms: number }[]
  exponent: number
}

/** A whole program, from its start to its end. */
export interface Program {
  contestant: string
  epochs: number
  seconds: number
  /** MiB; NaN where the system does not tell. */
  peakMemory: number
}

/** The loss of a training run by step. */
export interface Curve {
  contestant: string
  losses: number[]
}

/** Everything that a run of the benchmark found. */
export interface Report {
  schema: typeof SCHEMA
  /** The command that makes it again. */
  command: string
  machine: { cpu: string; cores: number; memoryGiB: number; node: string; platform: string; v8: string }
  network: { time: number; inputSize: number; hiddenSize: number; numLayers: number; numClasses: number }
  /** Multiply-adds of one core in WebAssembly. */
  peakGflops: number
  quiet: QuietReport
  participants: Participant[]
  rows: Row[]
  absent: Absent[]
  growth: Growth[]
  programs: Program[]
  curves: Curve[]
}

/** What a comparison needs of an older report. */
export const oldReport = z.object({
  schema: z.literal(SCHEMA),
  rows: z.array(
    z.object({
      contestant: z.string(),
      kind: z.enum(['train', 'predict']),
      batch: z.number(),
      median: z.number().positive(),
      rounds: z.array(z.number()),
    }),
  ),
})

export type OldReport = z.infer<typeof oldReport>
