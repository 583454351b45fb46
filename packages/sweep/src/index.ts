// What is searched
export {
  type Choice,
  choice,
  type Config,
  type Dimension,
  type Int,
  int,
  type LogUniform,
  logUniform,
  positionOf,
  type Space,
  type Uniform,
  uniform,
  type Value,
} from './space'
export {
  type CompleteSweep,
  checkSweep,
  type GridSearch,
  type HalvingSearch,
  type Objective,
  type RandomSearch,
  type Search,
  type SobolSearch,
  type Sweep,
} from './sweep'
export type { Trial, TrialReport } from './trial'

// Searching
export { runSweep, type RunSweepOptions, type SweepProgress } from './run-sweep'
export { replaySweep, type SweepState } from './replay'
export { importancesOf, type Row, type SweepTable } from './table'

// Where jobs run
export {
  fetchLocalFiles,
  readOutcomes,
  type StoredOutcomes,
} from './engines/stored-outcomes'
export { localEngine, type LocalEngineOptions } from './engines/local'
export { type RunJobsOptions, runJobs } from './run-jobs'
export type { Jobs } from './engines/pool'
export type {
  Engine,
  Job,
  JobContext,
  JobFunctions,
  JobKind,
  JobSet,
  JobSetOptions,
  Outcome,
} from './engine'

// Errors
export {
  JobRefusedError,
  SweepDefinitionError,
  SweepMismatchError,
  SweepNotFoundError,
  SweepStoreError,
} from './errors'
export { isRowwiseError } from '@rowwise/errors'
