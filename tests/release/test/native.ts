import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { succeed } from './run'

/** What builds native code for every platform. */
const ZIG = 'ziglang==0.17.1'

/** Emulates an ARM processor for programs of Linux, with Debian's libraries for it. */
const QEMU = { program: '/usr/bin/qemu-aarch64-static', libraries: '/usr/aarch64-linux-gnu' }

/** Whether ARM programs can be run here. */
export const runsArm = existsSync(QEMU.program) && existsSync(join(QEMU.libraries, 'lib/libatomic.so.1'))
/** What compiles for musl's C library. */
export const muslCompiler = ['/usr/bin/musl-gcc'].find((path) => existsSync(path))

/** Builds the native code of every platform in a checkout, with a zig that is installed for it. */
export async function buildEveryPlatform(checkout: string, directory: string, env: NodeJS.ProcessEnv): Promise<void> {
  const environment = join(directory, 'zig')
  await succeed('python3', ['-m', 'venv', environment], { cwd: directory, env })
  const python = join(environment, 'bin/python')
  await succeed(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ZIG], {
    cwd: directory,
    env: { ...env, PIP_CONFIG_FILE: process.env.PIP_CONFIG_FILE },
  })
  const build = join(checkout, 'packages/rnn-kernels/build-native.mjs')
  await succeed(process.execPath, [build, '--all', '--zig', `${python} -m ziglang`], { cwd: checkout, env })
}

/** The kind of program in a file: its format and its processor. */
export function formatOf(file: string): string {
  const bytes = readFileSync(file)
  if (bytes.readUInt32BE(0) === 0x7f454c46) return `ELF ${{ 62: 'x64', 183: 'arm64' }[bytes.readUInt16LE(18)]}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `Mach-O ${{ 16777223: 'x64', 16777228: 'arm64' }[bytes.readUInt32LE(4)]}`
  const header = bytes.readUInt32LE(0x3c)
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') return 'unknown'
  return `PE ${{ 34404: 'x64', 43620: 'arm64' }[bytes.readUInt16LE(header + 4)]}`
}

/** The newest glibc that a file needs, as the number after "2."; 0 when it needs none. */
export function glibcOf(file: string): number {
  const names = readFileSync(file, 'latin1').match(/GLIBC_2\.\d+/g) ?? []
  return Math.max(0, ...names.map((name) => Number(name.split('.')[1])))
}

/** Runs a program of Node for ARM. */
export function emulated(node: string, args: string[]): [string, string[]] {
  return [QEMU.program, ['-L', QEMU.libraries, node, ...args]]
}

/** C code with every function of Node-API, each empty. */
export function nodeApiStubs(root: string): string {
  const { def_paths } = createRequire(join(root, 'packages/rnn-kernels/package.json'))('node-api-headers')
  const names = readFileSync(def_paths.node_api_def, 'utf8').match(/^(napi|node_api)_\w+/gm) ?? []
  return names.map((name) => `void ${name}(void) {}\n`).join('')
}
