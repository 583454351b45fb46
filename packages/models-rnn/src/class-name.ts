/**
 * The name of a module's class as its author wrote it. Bundlers rename classes, so Rowwise's own state theirs as a static `name`; a
 * subclass without a name goes by that of the class it extends.
 */
export function classNameOf(module: object): string {
  let from = module.constructor
  while (typeof from.name !== 'string' || from.name === '') from = Object.getPrototypeOf(from)
  return from.name
}
