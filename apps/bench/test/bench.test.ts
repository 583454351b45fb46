import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { encodeOnnxLSTMNet } from '../src/subjects/onnx-model'
import { flopsOf, REFERENCE_NETWORK } from '../src/workload'

const program = new URL('../dist/rowwise-bench.js', import.meta.url).pathname

/** Runs `rowwise-bench`. */
function bench(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr })))
}

// These look at the machinery; how fast it is, is not for a test to say.
describe('rowwise-bench', () => {
  it('times a training step and predictions at three batch sizes', async () => {
    const { exitCode, stdout, stderr } = await bench('--seconds', '0.05', '--threads', '1')
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Rowwise, wasm backend, (relaxed-)?simd, 1 threads, Node /)
    for (const row of [
      'training step, batch 64',
      'prediction, batch 1 ',
      'prediction, batch 64',
      'prediction, batch 1000',
    ]) {
      expect(stdout).toMatch(new RegExp(`${row} +\\d+\\.\\d{3} ms`))
    }
  })

  it.each(['js', 'simd'])('runs the kernels %s, and reports numbers to machines', async (kernels) => {
    const { stdout } = await bench('--kernels', kernels, '--seconds', '0.02', '--batch', '2', '--json')
    const { schema, timings, peakMemory } = JSON.parse(stdout) as {
      schema: number
      timings: { median: number; steps: number }[]
      peakMemory: number
    }
    expect([schema, timings.length, peakMemory > 10]).toEqual([1, 4, true])
    expect(timings.every(({ median, steps }) => median > 0 && steps >= 5)).toBe(true)
  })

  it.each([
    ['an unknown backend', ['--backend', 'tpu'], 1, /prefer is 'tpu'/],
    ['a batch of nothing', ['--batch', '0'], 2, /Expected a number over 0/],
    ['an unknown option', ['--speed'], 2, /unknown option/],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const run = await bench(...args)
    expect(run.exitCode).toBe(exitCode)
    expect(run.stderr).toMatch(message)
  })
})

describe('the work of a step', () => {
  it('is 3.56 MFLOP a sample in training, a third of it forward', () => {
    expect(flopsOf({ kind: 'train', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(3.52, 2)
    expect(flopsOf({ kind: 'predict', batch: 1 }, REFERENCE_NETWORK) / 1e6).toBeCloseTo(1.32, 2)
  })
})

describe('the ONNX model', () => {
  it('has an LSTM with the weights’ shapes and the operators that follow it', () => {
    const text = new TextDecoder('latin1').decode(encodeOnnxLSTMNet(REFERENCE_NETWORK))
    for (const name of ['LSTM', 'hidden_size', 'Squeeze', 'Gemm', 'transB', 'logits']) expect(text).toContain(name)
    expect(text.length).toBeGreaterThan(4 * (256 * 92 + 512 + 640))
  })
})
