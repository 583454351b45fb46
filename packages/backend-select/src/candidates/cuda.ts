import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import util from 'node:util'
import { packageDirectory } from '@rowwise/host'
import { setBackend } from '@tensorflow/tfjs-core'
import { quietly } from '../quietly'
import type { Attempt, Rejection } from '../reasons'
import { type ProbeResult, probeCuda } from './cuda-probe'
import { loadPackage, otherCore } from './places'
import { utilRepair } from './util-repair'

const PACKAGE = '@tensorflow/tfjs-node-gpu'
const rebuild = `npm rebuild ${PACKAGE} --foreground-scripts (with pnpm: pnpm approve-builds)`

type Reason = Omit<Rejection, 'name'>

/** Starts CUDA, if tfjs-node-gpu is there, is built, loads without harm and really has a GPU. */
export async function startCuda(timeoutMs: number): Attempt {
  const directory = packageDirectory(PACKAGE)
  if (directory === null) {
    return {
      code: 'NOT_INSTALLED',
      reason: `${PACKAGE} is not installed.`,
      fix: `npm install ${PACKAGE} (half a gigabyte; Linux or Windows with an NVIDIA GPU)`,
    }
  }
  if (!isBuilt(directory)) {
    return {
      code: 'NOT_BUILT',
      reason: `${directory} is installed, but its native binding was not built.`,
      fix: rebuild,
    }
  }
  const cores = otherCore(directory)
  if (cores === undefined) return loadFailed(`@tensorflow/tfjs-core cannot be found from ${directory}`)
  if (cores) {
    return {
      code: 'DUPLICATE_CORE',
      reason: `${PACKAGE} would load ${cores.theirs}, the rest of the program uses ${cores.ours}.`,
      fix: `npm dedupe, or install the version of @tensorflow/tfjs-core that ${PACKAGE} asks for`,
    }
  }
  return explain(await probeCuda(directory, timeoutMs), timeoutMs) ?? (await start(directory))
}

/** Whether the install script left a binding: lib/napi-v*(/)tfjs_binding.node. */
function isBuilt(directory: string): boolean {
  const lib = join(directory, 'lib')
  return (
    existsSync(lib) &&
    readdirSync(lib).some((folder) => folder.startsWith('napi-v') && existsSync(join(lib, folder, 'tfjs_binding.node')))
  )
}

function explain(result: ProbeResult, timeoutMs: number): Reason | null {
  switch (result.outcome) {
    case 'gpu':
      return null
    case 'no-gpu':
      return {
        code: 'NO_GPU',
        reason: `${PACKAGE} loads but finds no GPU, and would silently run on the CPU.`,
        fix: 'check nvidia-smi; install the NVIDIA driver, CUDA 11.8 and cuDNN 8.6',
      }
    case 'timed-out':
      return {
        code: 'TIMED_OUT',
        reason: `${PACKAGE} did not load within ${timeoutMs} ms.`,
        fix: 'raise timeoutMs, or check the driver with nvidia-smi',
      }
    case 'threw':
      return explainMessage(result.message) ?? loadFailed(result.message)
    case 'died':
      return (
        explainMessage(result.message) ?? {
          code: 'CRASHED',
          reason: `Loading ${PACKAGE} ended its process with ${result.how}.`,
          fix: 'install the CUDA 11.8 and cuDNN 8.6 libraries that it was built for, then rebuild it',
        }
      )
  }
}

function explainMessage(message: string): Reason | null {
  const library = /(lib(?:cu|nv)[\w.-]+\.so[\w.]*|(?:cu|nv)\w+\.dll)/.exec(message)?.[1]
  if (library) {
    return {
      code: 'CUDA_LIB_MISSING',
      reason: `${PACKAGE} needs the library ${library}, which was not found.`,
      fix: 'install CUDA 11.8 and cuDNN 8.6 and put their libraries on LD_LIBRARY_PATH',
    }
  }
  if (/NODE_MODULE_VERSION|invalid ELF header|wrong ELF class/i.test(message)) {
    return {
      code: 'ABI_MISMATCH',
      reason: `The native binding of ${PACKAGE} was built for another Node or machine.`,
      fix: rebuild,
    }
  }
  return null
}

function loadFailed(message: string): Reason {
  const firstLine = message.split('\n')[0]
  return { code: 'LOAD_FAILED', reason: `${PACKAGE} did not load: ${firstLine}`, fix: rebuild }
}

async function start(directory: string): Promise<Reason | null> {
  try {
    utilRepair(util as Parameters<typeof utilRepair>[0])
    await quietly(() => loadPackage(directory))
    if (await quietly(() => setBackend('tensorflow'))) return null
    return loadFailed('its backend did not start')
  } catch (error) {
    return loadFailed(String(error))
  }
}
