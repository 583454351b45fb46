// Many machines

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
export type { Jobs } from './engines/pool'
// Errors
export {
  FilesTooLargeError,
  JobRefusedError,
  RedisError,
  SweepMismatchError,
  SweepNotFoundError,
  SweepStoreError,
} from './errors'
export { type S3Options, s3Files } from './files/s3'
// What jobs leave
export type { FileStore } from './files/store'
export type { RedisConnection } from './redis/connection'
export { type RedisEngineOptions, redisEngine } from './redis/engine'
export { fetchRedisFiles, readRedisSet, type StoredSet } from './redis/read'
export { runWorker } from './redis/worker'
export type { WorkerOptions } from './redis/worker-options'
