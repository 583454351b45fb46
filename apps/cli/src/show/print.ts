/** Prints a result for people. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Prints a result for machines, on one line. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
