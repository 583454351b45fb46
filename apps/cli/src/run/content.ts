import type { Content } from '../picture/read-picture'

/** Digits are drawings, which are found and centred; anything else is taken as it is. */
export function contentFor(classNames: readonly string[]): Content {
  return classNames.every((name) => /^\d+$/.test(name)) ? 'drawing' : 'whole'
}
