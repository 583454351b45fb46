import { packageDirectory } from '@rowwise/host'
import { SOURCES } from '../../generated/sources'
import type { Addon } from './addon'

/** Each has one file, named as this. */
const FILE = 'rowwise.node'
const PACKAGE = '@rowwise/rnn-kernels'
/** As in platforms/. On Linux both are tried: only the one of this C library loads. */
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['linux-x64', 'linux-x64-musl'],
  'linux-arm64': ['linux-arm64'],
  'darwin-arm64': ['darwin-arm64'],
  'darwin-x64': ['darwin-x64'],
  'win32-x64': ['win32-x64'],
}

/** The addon and the place of its best instruction set, or why there is none, with the fix; nothing where there are no addons at all. */
export type FoundAddon = { addon: Addon; machine: number } | { reason: string | null }

let found: FoundAddon | undefined

/** Looks for the addon of this platform, once. */
export function findAddon(): FoundAddon {
  found ??= look()
  return found
}

interface Deno {
  permissions?: { querySync?(descriptor: { name: string }): { state: string } }
}

function look(): FoundAddon {
  const process = globalThis.process as NodeJS.Process | undefined
  if (typeof process?.getBuiltinModule !== 'function' || !process.versions?.node) return { reason: null }
  const { permissions } = (globalThis as { Deno?: Deno }).Deno ?? {}
  // Deno would ask the user.
  if (permissions && ['ffi', 'read'].some((name) => permissions.querySync?.({ name }).state !== 'granted')) {
    return { reason: 'native code is not allowed here (Deno allows it by --allow-ffi and --allow-read)' }
  }
  const platform = `${process.platform}-${process.arch}`
  const names = PLATFORMS[platform]
  if (names === undefined) return { reason: `there is no native code for ${platform}` }
  const reasons = names.map((name) => `${PACKAGE}-${name}`).map((name) => load(name))
  const first = reasons.find((result) => typeof result === 'object' && result !== null)
  if (first) return first as FoundAddon
  const reason = reasons.find((result) => typeof result === 'string') as string | undefined
  return { reason: reason ?? whyNotInstalled(process, `${PACKAGE}-${names[0]}`) }
}

/** The addon of a package; null when the package is not there, else why it does not run. */
function load(name: string): FoundAddon | string | null {
  const directory = packageDirectory(name)
  if (directory === null) return null
  const path = process.getBuiltinModule('node:path')
  const file = path.join(directory, FILE)
  try {
    if (!process.getBuiltinModule('node:fs').existsSync(file)) {
      return `${name} has no native code: no C compiler was found when it was built (cc, gcc or clang)`
    }
    const addon = process.getBuiltinModule('node:module').createRequire(file)(file) as Addon
    if (addon.sources !== SOURCES) return `${name} is of another version than ${PACKAGE}; install both anew`
    const machine = addon.machines.findIndex((instructions) => instructions !== '')
    return { addon, machine }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_DLOPEN_DISABLED') return 'native code is not allowed here (Node allows it by --allow-addons)'
    return `${name} does not load: ${message.split('\n')[0]}`
  }
}

function whyNotInstalled({ permission }: NodeJS.Process, name: string): string {
  if (permission !== undefined) {
    return `${name} is not found; Node's permission model must allow to read it (--allow-fs-read) and to load it (--allow-addons)`
  }
  return `${name} is not installed; install it beside ${PACKAGE}, without --omit=optional`
}
