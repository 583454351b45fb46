import { createJiti } from 'jiti'

/** Imports a module of the user's; TypeScript too, which Node 20 does not read by itself. */
export function importModule(path: string): Promise<Record<string, unknown>> {
  return createJiti(import.meta.url, { fsCache: false, interopDefault: false }).import(path)
}
