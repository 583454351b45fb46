import { cpSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { selectBackend } from '../src'
import { selectBackend as selectInBrowser } from '../src/browser'
import { utilRepair } from '../src/candidates/util-repair'
import { FakeProject } from './fake-project'

const runsOnWasm = { exitCode: 0, stderr: '', engine: 'wasm', sum: [2, 3] }
const runsOnCpu = { exitCode: 0, engine: 'cpu', sum: [2, 3] }
const triedCuda = (code: string) => ({ backend: { name: 'wasm', simd: true, tried: [{ name: 'cuda', code }] } })

describe('selectBackend, when tfjs-node-gpu', () => {
  it('is missing, takes WASM and says how to install it', async () => {
    const run = await new FakeProject().select()
    expect(run).toMatchObject({ ...runsOnWasm, ...triedCuda('NOT_INSTALLED') })
    expect(run.backend?.tried[0].fix).toContain('npm install @tensorflow/tfjs-node-gpu')
  })

  it('is installed but not built, says so and how to build it', async () => {
    const project = new FakeProject()
    project.addPackage('@tensorflow/tfjs-node-gpu', { 'index.js': '' })
    const run = await project.select()
    expect(run).toMatchObject({ ...runsOnWasm, ...triedCuda('NOT_BUILT') })
    expect(run.backend?.tried[0].fix).toContain('npm rebuild')
  })

  it.each([
    ['throws at import', 'throw new Error("no such thing")', 'LOAD_FAILED'],
    [
      'lacks a CUDA library',
      'throw new Error("libcudart.so.11.0: cannot open shared object file")',
      'CUDA_LIB_MISSING',
    ],
    ['was built for another Node', 'throw new Error("compiled against NODE_MODULE_VERSION 93")', 'ABI_MISMATCH'],
    ['aborts the process', 'process.abort()', 'CRASHED'],
    ['exits the process', 'process.exit(7)', 'CRASHED'],
    ['finds no GPU', 'module.exports = { backend: () => ({ isUsingGpuDevice: false }) }', 'NO_GPU'],
  ])('%s, takes WASM with the reason', async (_, program, code) => {
    const project = new FakeProject()
    project.addNodeGpu(program)
    expect(await project.select()).toMatchObject({ ...runsOnWasm, ...triedCuda(code) })
  })

  it('leaves a process behind that keeps its output open, does not wait for that', async () => {
    const project = new FakeProject()
    project.addNodeGpu(`
      const wait = 'setTimeout(() => {}, 12_000)'
      require('node:child_process').spawn(process.execPath, ['-e', wait], { stdio: 'inherit' }).unref()
      console.log('rowwise-probe:{')
      module.exports = { backend: () => ({ isUsingGpuDevice: false }) }`)
    const began = performance.now()
    expect(await project.select()).toMatchObject({ ...runsOnWasm, ...triedCuda('NO_GPU') })
    expect(performance.now() - began).toBeLessThan(11_000)
  })

  it('hangs, goes on at the time limit', async () => {
    const project = new FakeProject()
    project.addNodeGpu('for (;;) {}')
    const began = performance.now()
    const run = await project.select({ timeoutMs: 500 })
    expect(run).toMatchObject({ ...runsOnWasm, ...triedCuda('TIMED_OUT') })
    expect(performance.now() - began).toBeLessThan(15_000)
  })

  it('brings another copy of tfjs-core, names both paths and is passed over', async () => {
    const project = new FakeProject()
    project.addNodeGpu('')
    const theirs = '@tensorflow/tfjs-node-gpu/node_modules/@tensorflow/tfjs-core'
    project.addPackage(theirs, { 'index.js': '' })
    const run = await project.select()
    expect(run).toMatchObject({ ...runsOnWasm, ...triedCuda('DUPLICATE_CORE') })
    expect(run.backend?.tried[0].reason).toContain(theirs)
    expect(run.backend?.tried[0].reason).toContain(realpathSync(project.path('@tensorflow/tfjs-core')))
  })

  it('works and has a GPU, takes it', async () => {
    const project = new FakeProject()
    project.addNodeGpu(`
      const tf = require('@tensorflow/tfjs-core')
      const { MathBackendCPU } = require('@tensorflow/tfjs-backend-cpu')
      class Gpu extends MathBackendCPU { isUsingGpuDevice = true; firstUse = false }
      if (require('node:util').isNullOrUndefined(null) !== true) throw new Error('util is not repaired')
      tf.registerBackend('tensorflow', () => new Gpu(), 3)
      for (const kernel of tf.getKernelsForBackend('cpu')) tf.registerKernel({ ...kernel, backendName: 'tensorflow' })
      module.exports = tf`)
    expect(await project.select()).toMatchObject({
      exitCode: 0,
      engine: 'tensorflow',
      backend: { name: 'cuda', tfjsName: 'tensorflow', tried: [] },
      sum: [2, 3],
    })
  })
})

describe('utilRepair', () => {
  it('puts back what Node 23 took away, and leaves what is there', () => {
    const bare: { isNullOrUndefined?: (value: unknown) => boolean } = {}
    utilRepair(bare)
    expect([null, undefined, 0, ''].map((value) => bare.isNullOrUndefined?.(value))).toEqual([true, true, false, false])
    const own = { isNullOrUndefined: () => true }
    const before = own.isNullOrUndefined
    utilRepair(own)
    expect(own.isNullOrUndefined).toBe(before)
  })
})

describe('selectBackend, when WASM', () => {
  it.each([
    ['has no SIMD', ['--no-enable-ssse3'], 'NO_SIMD'],
    ['is not there at all', ['--jitless'], 'NO_WASM'],
  ])('%s, takes the CPU with the reason', async (_, flags, code) => {
    const run = await new FakeProject().select({}, flags)
    expect(run).toMatchObject({
      ...runsOnCpu,
      backend: { name: 'cpu', tried: [{ name: 'cuda' }, { name: 'wasm', code }] },
    })
    expect(run.stderr).not.toContain('TensorFlow')
  })

  const brokenFiles: [string, string, (file: string) => void][] = [
    ['lacks its file', 'WASM_FILE_MISSING', (file) => rmSync(file)],
    ['has a corrupt file', 'WASM_FILE_CORRUPT', (file) => writeFileSync(file, 'not wasm')],
  ]
  it.each(brokenFiles)('%s, takes the CPU without a word of TensorFlow.js', async (_, code, damage) => {
    const project = new FakeProject()
    const wasm = project.path('@tensorflow/tfjs-backend-wasm')
    const real = realpathSync(wasm)
    rmSync(wasm)
    cpSync(real, wasm, { recursive: true })
    damage(join(wasm, 'dist/tfjs-backend-wasm-simd.wasm'))
    expect(await project.select()).toMatchObject({
      ...runsOnCpu,
      stderr: '',
      backend: { tried: [{ name: 'cuda' }, { name: 'wasm', code }] },
    })
  })
})

describe('selectBackend, when tfjs-core is there twice', () => {
  it('refuses with one error that names both paths', async () => {
    const project = new FakeProject()
    const wasm = project.path('@tensorflow/tfjs-backend-wasm')
    const real = realpathSync(wasm)
    rmSync(wasm)
    cpSync(real, wasm, { recursive: true })
    const theirs = '@tensorflow/tfjs-backend-wasm/node_modules/@tensorflow/tfjs-core'
    cpSync(realpathSync(project.path('@tensorflow/tfjs-core')), project.path(theirs), { recursive: true })
    const run = await project.select()
    expect(run).toMatchObject({ exitCode: 0, stderr: '', error: { code: 'DUPLICATE_CORE' } })
    expect(run.error?.message).toContain(project.path(theirs))
    expect(run.error?.message).toContain(realpathSync(project.path('@tensorflow/tfjs-core')))
  })
})

describe('selectBackend({ prefer })', () => {
  it('leaves TensorFlow.js’s flags as they were, also when it is called twice at once', async () => {
    await Promise.all([selectBackend({ prefer: 'cpu' }), selectBackend({ prefer: 'cpu' })])
    expect(env().getBool('IS_TEST')).toBe(false)
  })

  it('says in a browser that WASM was not tried because cpu was asked for', async () => {
    const backend = await selectInBrowser({ prefer: 'cpu', wasmPath: '/wasm/' })
    expect(backend).toMatchObject({ name: 'cpu', tried: [{ name: 'cuda' }, { name: 'wasm', code: 'NOT_PREFERRED' }] })
  })

  it('starts with the preferred backend and says that better ones were not tried', async () => {
    const backend = await selectBackend({ prefer: 'cpu' })
    expect(backend).toMatchObject({ name: 'cpu', tried: [{ code: 'NOT_PREFERRED' }, { code: 'NOT_PREFERRED' }] })
  })

  it('refuses an unknown name, wherever it comes from, and lists the known ones', async () => {
    const refused = expect.objectContaining({ code: 'BACKEND_OPTION' })
    await expect(selectBackend({ prefer: 'tpu' as 'cpu' })).rejects.toThrow(refused)
    process.env.ROWWISE_BACKEND = 'tpu'
    await expect(selectBackend()).rejects.toThrow(/ROWWISE_BACKEND is 'tpu', expected one of auto, cuda, wasm, cpu/)
    delete process.env.ROWWISE_BACKEND
  })

  it('follows ROWWISE_BACKEND unless the program says otherwise', async () => {
    process.env.ROWWISE_BACKEND = 'cpu'
    expect((await selectBackend()).name).toBe('cpu')
    expect((await selectBackend({ prefer: 'wasm' })).name).toBe('wasm')
    delete process.env.ROWWISE_BACKEND
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'])('refuses the time limit %j', async (timeoutMs) => {
    await expect(selectBackend({ timeoutMs: timeoutMs as number })).rejects.toThrow(/timeoutMs/)
  })
})
