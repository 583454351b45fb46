/** What wraps a whole model, and so may begin its names: DataParallel, torch.compile, a LightningModule's attribute. */
const OUTERMOST: ReadonlySet<string> = new Set(['module', '_orig_mod', 'model'])

/** What wraps any part of a model, and so may stand anywhere in its names. */
const ANYWHERE: ReadonlySet<string> = new Set(['module', '_orig_mod'])

/** A name without every part that a wrapper may have added. */
export function withoutWrappers(name: string): string {
  return parts(name)
    .filter(({ isWrapper }) => !isWrapper)
    .map(({ part }) => part)
    .join('.')
}

/**
 * The parts that wrappers added to `short` to make it `long`, outermost first; undefined where more than that is between
 * them.
 */
export function wrappersBetween(long: string, short: string): string[] | undefined {
  const left = short.split('.')
  const taken: string[] = []
  for (const { part, isWrapper } of parts(long)) {
    if (part === left[0]) left.shift()
    else if (isWrapper) taken.push(part)
    else return undefined
  }
  return left.length === 0 ? taken : undefined
}

/** The parts of a name, and whether each may be a wrapper's. The last one is a parameter's, never a wrapper's. */
function parts(name: string): { part: string; isWrapper: boolean }[] {
  const all = name.split('.')
  let isOutermost = true
  return all.map((part, i) => {
    isOutermost &&= OUTERMOST.has(part)
    return { part, isWrapper: i < all.length - 1 && (isOutermost || ANYWHERE.has(part)) }
  })
}

/**
 * Finds for every name the one of the model that it becomes when the wrappers are taken off it; names that fit nothing stay
 * out. Exact names win, so that a model with a child called `model` or `module` loads its own state dict.
 *
 * @param names of the state dict
 * @param expected of the model
 */
export function matchNames(names: readonly string[], expected: ReadonlySet<string>): Map<string, string> {
  const prefix = commonPrefix(new Set(names), expected)
  const byPlainName = new Map<string, string[]>()
  for (const name of expected) {
    const plain = withoutWrappers(name)
    byPlainName.set(plain, [...(byPlainName.get(plain) ?? []), name])
  }
  const matches = new Map<string, string>()
  for (const name of names) {
    const exact =
      name.startsWith(prefix) && expected.has(name.slice(prefix.length)) ? name.slice(prefix.length) : undefined
    const match = exact ?? nearest(name, byPlainName.get(withoutWrappers(name)) ?? [])
    if (match !== undefined) matches.set(name, match)
  }
  return matches
}

/** The wrappers before the names of a whole model, if it is there under one prefix; empty if not, or if it has none. */
function commonPrefix(names: ReadonlySet<string>, expected: ReadonlySet<string>): string {
  const [first = ''] = expected
  const prefixes = [...names]
    .filter((name) => name.endsWith(`.${first}`) && wrappersBetween(name, first) !== undefined)
    .map((name) => name.slice(0, -first.length))
  const isWhole = (prefix: string): boolean => [...expected].every((name) => names.has(prefix + name))
  return ['', ...prefixes].find(isWhole) ?? ''
}

/** Of the names that a name may stand for, the one for which fewest wrappers are taken off. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  return candidates
    .filter((candidate) => wrappersBetween(name, candidate) !== undefined)
    .sort((a, b) => b.split('.').length - a.split('.').length)[0]
}
