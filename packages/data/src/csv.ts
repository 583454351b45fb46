// Tables in CSV files. A separate entry, so a program that reads none does not carry the parser.

export { CSVError, DataNotFoundError, LoaderOptionError } from './errors'
export type { ByteSource } from './sources/bytes'
export { type CSVOptions, readCSV } from './sources/csv'
export type { ReadOptions, ReadProgress } from './sources/progress'
export type { Table } from './sources/table'
