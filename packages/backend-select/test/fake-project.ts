import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { SelectedBackend } from '../src'

const root = new URL('..', import.meta.url).pathname
const DEPENDENCIES = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  'wasm-feature-detect',
]

/** A project in a temporary directory with this package, as built, in its node_modules. */
export class FakeProject {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'rowwise-backend-')))

  constructor() {
    const installed = this.path('@rowwise/backend-select')
    mkdirSync(installed, { recursive: true })
    cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(installed, 'package.json'))
    for (const name of DEPENDENCIES) this.link(name)
  }

  path(name: string): string {
    return join(this.directory, 'node_modules', name)
  }

  /** Links the real dependency. */
  link(name: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    symlinkSync(realpathSync(join(root, 'node_modules', name)), this.path(name))
  }

  /** Adds a package of our own making. */
  addPackage(name: string, files: Record<string, string>): void {
    const all = { 'package.json': JSON.stringify({ name, version: '4.22.0', main: 'index.js' }), ...files }
    for (const [file, content] of Object.entries(all)) {
      mkdirSync(dirname(join(this.path(name), file)), { recursive: true })
      writeFileSync(join(this.path(name), file), content)
    }
  }

  /** Adds a tfjs-node-gpu whose install script has left a binding, with this as its program. */
  addNodeGpu(program: string): void {
    this.addPackage('@tensorflow/tfjs-node-gpu', { 'index.js': program, 'lib/napi-v8/tfjs_binding.node': 'fake' })
  }

  /** Runs selectBackend in a process of its own, as a user's program would. */
  select(options: object = {}, nodeFlags: string[] = []): Promise<Run> {
    const program = `
      import { selectBackend } from '@rowwise/backend-select'
      import * as tf from '@tensorflow/tfjs-core'
      try {
        const backend = await selectBackend(${JSON.stringify(options)})
        const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), tf.scalar(1)).dataSync())
        console.log(JSON.stringify({ backend, engine: tf.getBackend(), sum: [...sum] }))
      } catch (error) { console.log(JSON.stringify({ error: { code: error.code, message: error.message } })) }`
    writeFileSync(join(this.directory, 'main.mjs'), program)
    return new Promise((resolve) => {
      const environment = { ...process.env, ROWWISE_BACKEND: '', NODE_PATH: '' }
      execFile(
        process.execPath,
        [...nodeFlags, 'main.mjs'],
        { cwd: this.directory, env: environment },
        (error, stdout, stderr) => {
          resolve({
            exitCode: error ? Number(error.code) : 0,
            stderr,
            ...JSON.parse(stdout.trim().split('\n').at(-1) ?? ''),
          })
        },
      )
    })
  }
}

/** What came of {@link FakeProject.select}. */
export interface Run {
  exitCode: number
  stderr: string
  backend?: SelectedBackend
  engine?: string
  sum?: number[]
  error?: { code: string; message: string }
}
