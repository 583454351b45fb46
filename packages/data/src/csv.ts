// Tables in CSV files: a part of its own, so that who reads none carries no parser along.

export { CSVError, DataNotFoundError, LoaderOptionError } from './errors'
export type { ByteSource } from './sources/bytes'
export { type CSVOptions, readCSV } from './sources/csv'
export type { ReadOptions, ReadProgress } from './sources/progress'
export type { Table } from './sources/table'
