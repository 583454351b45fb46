import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { configureKernels, currentRuntime, kernelReport } from '../src/configure'
import { ThreadPool } from '../src/runtimes/wasm/threads/pool'
import { whyNotStarted } from '../src/runtimes/wasm/threads/start-worker'
import { recordThreads } from './record-threads'
import { compute, copyOf, problem, REFERENCE, wasmRuntime } from './runtimes'

const started = recordThreads()

describe('the threads', () => {
  it('are reported when they are lost, to the report and as a warning', async () => {
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    configureKernels({ path: 'simd', threads: 2 })
    const runtime = currentRuntime() as ReturnType<typeof wasmRuntime>
    compute(runtime, REFERENCE)
    await started.at(-1)?.terminate()
    await vi.waitFor(() => expect(kernelReport().notes).toEqual([expect.stringMatching(/a thread ended with code/)]))
    expect(warning).toHaveBeenCalledWith(kernelReport().notes[0], 'RowwiseThreadWarning')
    configureKernels({})
    vi.restoreAllMocks()
  })

  it('compute: what the calling thread leaves alone, a worker does', () => {
    const expected = compute(wasmRuntime('simd', 1), REFERENCE)
    const onLoss = vi.fn()
    const runtime = wasmRuntime('simd', 2, onLoss)
    const door = ThreadPool.prototype as unknown as { claim(slice: number): boolean }
    vi.spyOn(door, 'claim').mockReturnValue(false)
    expect(compute(runtime, REFERENCE)).toEqual(expected)
    expect(onLoss).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('take the blocks of a large batch that is not differentiated as they come free, with the numbers of one thread', () => {
    const shape = { ...REFERENCE, batch: 437, time: 4, inputSize: 7, hiddenSize: 24 }
    const { inputs } = problem(shape)
    const predict = (threads: number) =>
      copyOf(wasmRuntime('simd', threads).recurrent.forward(shape, { ...inputs, save: false, returnOutput: true }))
    const expected = predict(1)
    expect(predict(2)).toEqual(expected)
    expect(predict(3)).toEqual(expected)
  })

  it('that end by themselves are reported and missed no further', async () => {
    const onLoss = vi.fn()
    const runtime = wasmRuntime('simd', 2, onLoss)
    const expected = compute(runtime, REFERENCE)
    await started.at(-1)?.terminate()
    await vi.waitFor(() => expect(onLoss).toHaveBeenCalledWith(expect.stringMatching(/a thread ended with code/)))
    expect(runtime.report().threads).toBe(1)
    expect(compute(runtime, REFERENCE)).toEqual(expected)
  })

  it('give the same numbers when a thread stops in the middle of its slice', async () => {
    const expected = compute(wasmRuntime('simd', 2), REFERENCE)
    const onLoss = vi.fn()
    const runtime = wasmRuntime('simd', 2, onLoss)
    compute(runtime, REFERENCE)
    await started.at(-1)?.terminate()
    // The second slice counts as taken, by the thread that is no more; waiting for it is cut short.
    const door = ThreadPool.prototype as unknown as { claim(slice: number): boolean; waitFor(slices: number): boolean }
    vi.spyOn(door, 'claim').mockImplementation((slice) => slice === 0)
    vi.spyOn(door, 'waitFor').mockReturnValue(false)
    expect(compute(runtime, REFERENCE)).toEqual(expected)
    expect(onLoss).toHaveBeenCalledWith('a thread stopped in the middle of a forward pass')
    vi.restoreAllMocks()
  })

  it('that Node’s permission model forbids are not counted, and the report says why and how many were wanted', async () => {
    const program = `
      import { configureKernels, kernelReport } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
      configureKernels({ path: 'simd', threads: 3 })
      console.log(JSON.stringify(kernelReport()))`
    const file = join(mkdtempSync(join(tmpdir(), 'rowwise-threads-')), 'report.mjs')
    writeFileSync(file, program)
    const flag = process.version.startsWith('v20.') ? '--experimental-permission' : '--permission'
    const args = [flag, '--allow-fs-read=*', '--no-warnings', file]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ threads: 1, requestedThreads: 3 },
      notes: ["fewer threads than 3: Node's permission model forbids threads (run node with --allow-worker)"],
    })
  })

  it('that a page’s policy forbids are not counted, whatever its error says', () => {
    expect([undefined, {}, { message: '' }, new Error('no room')].map(whyNotStarted)).toEqual([
      ...Array(3).fill("a thread could not be started; a page's policy must allow it by worker-src blob:"),
      'a thread could not be started (no room)',
    ])
  })

  it('never keep a process alive: it ends within a second of its last line', async () => {
    const entry = new URL('../dist/index.js', import.meta.url).href
    const program = `
      import * as tf from '@tensorflow/tfjs-core'
      import '@tensorflow/tfjs-backend-wasm'
      import { configureKernels, recurrent } from ${JSON.stringify(entry)}
      await tf.setBackend('wasm')
      configureKernels({ threads: 2 })
      const { h } = recurrent(tf.zeros([64, 28, 28]), { weightIh: tf.zeros([256, 28]), weightHh: tf.zeros([256, 64]) }, { cell: 'lstm' })
      console.log(h.shape.join())
      console.log(performance.timeOrigin + performance.now())`
    const cwd = new URL('..', import.meta.url).pathname
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd,
    })
    const ended = performance.timeOrigin + performance.now()
    const [shape, done] = stdout.split('\n')
    expect([shape, stderr]).toEqual(['64,64', ''])
    expect(ended - Number(done)).toBeLessThan(1000)
  })
})
