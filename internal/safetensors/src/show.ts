const MAX_SHOWN = 100 // characters of a name or text in a message
const MAX_LISTED = 24 // names in a message; a model has tens

/** Control characters and marks of writing direction: a name from a file must not steer a terminal. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A text in quotes on one line of a message, cut when it is long. */
export function quote(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
  return JSON.stringify(shown).replace(UNSAFE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A tensor's name in a message: as it is where that is plain, else in quotes. */
export function showName(name: string): string {
  return /^[\w.-]+$/.test(name) && name.length <= MAX_SHOWN ? name : quote(name)
}

/** Names in a message; of very many only the first. */
export function showNames(names: readonly string[], show: (name: string) => string = showName): string {
  const rest = names.length - MAX_LISTED
  const shown = names.slice(0, MAX_LISTED).map(show).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}

/** What a value is, for a message about an argument of the wrong kind. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `the text ${quote(value)}`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  if ('dataId' in value && 'shape' in value) return 'a tensor'
  if (kind === 'Object') return `an object with ${showNames(Object.keys(value)) || 'nothing in it'}`
  return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`
}
