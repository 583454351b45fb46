import { byId } from '../elements'
import type { Settings } from '../train/protocol'

const NUMBERS = ['hiddenSize', 'numLayers', 'lr', 'batchSize', 'epochs'] as const

const form = (): HTMLFormElement => byId('settings')
const field = (name: string): HTMLInputElement => form().elements.namedItem(name) as HTMLInputElement

/** Fills the form from the page's address; what does not fit there is left as it was. */
export function settingsFromAddress(): void {
  const query = new URLSearchParams(location.hash.slice(1))
  for (const name of [...NUMBERS, 'cell', 'seed']) {
    const value = query.get(name)
    if (value === null) continue
    const before = field(name).value
    field(name).value = value
    if (!field(name).checkValidity() || field(name).value === '') field(name).value = before
  }
}

/** Reads the form, and puts it into the page's address; null when it is not valid, which the browser has said then. */
export function readSettings(): Settings | null {
  if (!form().reportValidity()) return null
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, Number(field(name).value)])) as Omit<
    Settings,
    'cell' | 'seed'
  >
  const settings = { cell: field('cell').value as Settings['cell'], ...numbers, seed: field('seed').value }
  const query = new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, String(value)]))
  history.replaceState(null, '', `#${query}`)
  return settings
}
