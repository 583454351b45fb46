import type { GraphReader } from './operator'
import type { RecurrentDraft, Row, Value } from './values'

/**
 * Puts recurrent layers that follow each other together, as PyTorch's `num_layers` has them, where nothing else reads
 * what is between them, and where their states are begun and read as one.
 */
export function mergeLayers(follower: GraphReader, outputs: readonly Value[]): void {
  const { drafts } = follower
  const recurrent = [...drafts].filter((entry): entry is [string, RecurrentDraft] => entry[1].kind === 'recurrent')
  const next = new Map(recurrent.map(([name, draft]) => [name, nextOf(follower, name, draft, outputs)]))
  const inner = new Set([...next.values()].map((entry) => entry?.[0]))
  // From the end: a decoder's states are one before it is asked whether those of its encoder are.
  for (const first of recurrent.filter(([name]) => !inner.has(name)).reverse()) {
    const chain = [first]
    for (let entry = next.get(first[0]); entry; entry = next.get(entry[0])) chain.push(entry)
    if (chain.length > 1 && statesAreOne(follower, chain, outputs)) merge(follower, chain)
  }
}

/** The layer after one, if that may be its next layer in one module. */
function nextOf(
  { drafts }: GraphReader,
  name: string,
  draft: RecurrentDraft,
  outputs: readonly Value[],
): [string, RecurrentDraft] | undefined {
  const readers = [...drafts].filter(([, { input }]) => input === name || input.startsWith(`${name}.`))
  if (readers.length !== 1 || outputs.some((value) => value.kind === 'tensor' && value.of === name)) return undefined
  const [[reader, next]] = readers
  return next.kind === 'recurrent' && next.input === name && isSameKind(draft, next) ? [reader, next] : undefined
}

function isSameKind(a: RecurrentDraft, b: RecurrentDraft): boolean {
  const kind = ({
    type,
    nonlinearity,
    resetAfter,
    gateActivation,
    hiddenSize,
    lengths,
    layers,
  }: RecurrentDraft): string =>
    [
      type,
      nonlinearity,
      resetAfter,
      gateActivation,
      hiddenSize,
      lengths,
      layers[0].length,
      layers[0][0].biasIh !== undefined,
    ].join()
  return kind(a) === kind(b) && b.inputSize === a.hiddenSize * a.layers[0].length
}

/** The rows that a chain's states are, in PyTorch's order. */
function rowsOf(chain: readonly [string, RecurrentDraft][], which: 'h' | 'c'): Row[] {
  return chain.flatMap(([of, { layers }]) => layers[0].map((_, at): Row => ({ of, which, at })))
}

function statesAreOne(
  follower: GraphReader,
  chain: readonly [string, RecurrentDraft][],
  outputs: readonly Value[],
): boolean {
  const names = chain.map(([name]) => name)
  const inner = names.slice(0, -1)
  const touches = (rows: readonly Row[]): boolean => rows.some(({ of }) => inner.includes(of))
  const isWhole = (rows: readonly Row[]): boolean =>
    isSame(rows, rowsOf(chain, 'h')) || isSame(rows, rowsOf(chain, 'c'))
  const put = outputs.flatMap((value) => (value.kind === 'rows' ? [value.rows] : []))
  const told = [...follower.drafts].flatMap(([name, draft]) =>
    draft.kind === 'recurrent' && !names.includes(name)
      ? [draft.initial.h, draft.initial.c].filter((rows) => rows !== undefined)
      : [],
  )
  if (![...put, ...told].every((rows) => !touches(rows) || isWhole(rows))) return false
  return (['h', 'c'] as const).every((which) => {
    const rows = chain.map(([, { initial }]) => initial[which])
    if (rows.every((each) => each === undefined)) return true
    if (rows.includes(undefined)) return false
    const all = rows.flatMap((each) => [...(each as readonly Row[])])
    const [{ of, which: kind }] = all
    return kind === 'input'
      ? all.every((row, place) => row.of === of && row.at === place)
      : !all.some((row) => row.which === 'input')
  })
}

function merge({ drafts }: GraphReader, chain: readonly [string, RecurrentDraft][]): void {
  const [last] = chain[chain.length - 1]
  const [title, first] = chain[0]
  const all = (which: 'h' | 'c'): readonly Row[] | undefined =>
    first.initial[which] && chain.flatMap(([, { initial }]) => [...(initial[which] as readonly Row[])])
  const merged: RecurrentDraft = {
    ...first,
    title,
    members: chain.map(([name]) => name),
    layers: chain.flatMap(([, { layers }]) => layers),
    initial: { h: all('h'), c: all('c') },
  }
  const entries = [...drafts]
  drafts.clear()
  for (const [name, draft] of entries) {
    if (name === last) drafts.set(last, merged)
    else if (!chain.some(([inner]) => inner === name)) drafts.set(name, draft)
  }
}

function isSame(a: readonly Row[], b: readonly Row[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ of, which, at }, place) => of === b[place].of && which === b[place].which && at === b[place].at)
  )
}

/** Where a stack of states comes from, as a place of a graph; undefined where it is no place. */
export function placeOfRows({ drafts, inputs }: GraphReader, rows: readonly Row[]): string | undefined {
  const [{ of, which }] = rows
  const input = inputs.find(({ name }) => name === of)
  if (input)
    return rows.every((row, at) => row.of === of && row.at === at) && input.axes[0].size === rows.length
      ? of
      : undefined
  const draft = drafts.get(rows[rows.length - 1].of)
  if (draft?.kind !== 'recurrent' || which === 'input') return undefined
  const last = rows[rows.length - 1].of
  const expected = (draft.members ?? [last]).flatMap((of) => draft.layers[0].map((_, at): Row => ({ of, which, at })))
  return isSame(rows, expected) ? `${last}.${which}n` : undefined
}
