import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../exit'
import { pythonScript } from './python-script'

/** A program that subjects run in, named by its version. */
export interface Host {
  path: string
  /** `Node 26.10`, `PyTorch 2.15 (oneDNN)`, `Chromium 156`. */
  name: string
}

/** A Python with PyTorch. */
export interface PyTorch extends Host {
  /** The version of its torchvision, where it has one. */
  torchvision: string | null
}

/** Enough for a cold start of PyTorch from a slow disk. */
const TIMEOUT_MILLISECONDS = 60_000
const OLDEST_NODE = [20, 19]

/** The Node that runs this. */
export const thisNode = (): Host => ({ path: process.execPath, name: nameOfNode(process.versions.node) })

/**
 * The Nodes of `--node`.
 *
 * @throws UsageError when a path is not a Node that Rowwise runs on, or two are the same version
 */
export async function findNodes(paths: readonly string[]): Promise<Host[]> {
  const nodes = [thisNode()]
  for (const given of paths) {
    const path = programOf(given)
    const version = await ask(path, ['-p', 'process.versions.node']).catch((error: Error) => error.message)
    const [major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(version)?.slice(1).map(Number) ?? []
    if (major === undefined) {
      throw new UsageError(
        `--node '${given}' is not a Node (${version}); npx -y -p node@26 node -p process.execPath names one`,
      )
    }
    if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
      throw new UsageError(`--node '${given}' is Node ${version}, expected ${OLDEST_NODE.join('.')} or later`)
    }
    nodes.push({ path, name: nameOfNode(version) })
  }
  refuseTwice('--node', nodes)
  return nodes
}

/**
 * The PyTorch of each `--python`.
 *
 * @throws UsageError when a path is not a Python that has torch, or two are the same version
 */
export async function findPyTorches(paths: readonly string[]): Promise<PyTorch[]> {
  const found: PyTorch[] = []
  for (const given of paths) {
    try {
      found.push(await findPyTorch(programOf(given)))
    } catch (cause) {
      throw new UsageError(`--python '${given}' has no PyTorch (${(cause as Error).message}); ${GET}`, { cause })
    }
  }
  refuseTwice('--python', found)
  return found
}

const GET = 'give a Python with torch: python3 -m venv venv && venv/bin/pip install torch'

/** The PyTorch of a Python, named by its version and by what computes its LSTM; rejects with one line of a reason. */
export async function findPyTorch(path: string): Promise<PyTorch> {
  const { version, engine, torchvision } = JSON.parse(await ask(path, [pythonScript('pytorch_identity')]))
  return { path, name: `PyTorch ${version} (${engine})`, torchvision }
}

/**
 * Chromium, with the driver in the user's directory.
 *
 * @throws UsageError when one of the two is missing
 */
export async function findChromium(): Promise<Host> {
  const path = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(path)) {
    throw new UsageError(`--chromium: there is no ${path}; apt-get install chromium, or set ROWWISE_CHROMIUM`)
  }
  try {
    createRequire(join(process.cwd(), 'package.json')).resolve('playwright-core')
  } catch (cause) {
    throw new UsageError('--chromium needs its driver here: npm install playwright-core', { cause })
  }
  const version = await ask(path, ['--version']).catch(() => '')
  const major = /(\d+)\.\d+/.exec(version)?.[1]
  if (major === undefined) throw new UsageError(`--chromium: ${path} does not run; set ROWWISE_CHROMIUM`)
  return { path, name: `Chromium ${major}` }
}

/** A file here, or else a program of this name on the PATH. */
const programOf = (given: string): string => (given !== '' && existsSync(given) ? resolve(given) : given)

const nameOfNode = (version: string): string => `Node ${version.split('.').slice(0, 2).join('.')}`

/** What a program prints; rejects with the line that says why it did not. */
async function ask(path: string, args: string[]): Promise<string> {
  if (path === '') throw new Error('an empty path')
  try {
    const { stdout } = await promisify(execFile)(path, args, { timeout: TIMEOUT_MILLISECONDS })
    return stdout.trim().split('\n').at(-1) ?? ''
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string }
    throw new Error(typeof code === 'string' ? code : stderr.trim().split('\n').at(-1) || `exit code ${code}`)
  }
}

/** Two of one version would be rows of one name. */
function refuseTwice(option: string, hosts: readonly Host[]): void {
  for (const [index, { name, path }] of hosts.entries()) {
    const earlier = hosts.slice(0, index).find((host) => host.name === name)
    if (earlier) throw new UsageError(`${option} '${path}' is ${name}, as ${earlier.path} is; leave one out`)
  }
}
