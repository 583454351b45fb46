/** Columns of numbers, as long as each other. */
export interface Table {
  /** What it was read from. */
  readonly name: string
  /** How many rows there are. */
  readonly rows: number
  /** The names of the columns that were read, in the order they were asked for. */
  readonly columns: readonly string[]
  /** The numbers of a column, `[rows]`. @throws {@link LoaderOptionError} when there is none of that name. */
  column(name: string): Float64Array
}
