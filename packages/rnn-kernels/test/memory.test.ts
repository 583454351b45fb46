import { describe, expect, it } from 'vitest'
import type { Block } from '../src/runtimes/wasm/arena'
import { compute, problem, REFERENCE, wasmRuntime } from './runtimes'

/** Where the blocks of an arena end, and those of them that are free. */
interface ArenaState {
  memory: WebAssembly.Memory
  top: number
  free: Block[]
}

/** Bytes of a runtime's memory in use, and that it has grown to. */
function bytesOf(runtime: ReturnType<typeof wasmRuntime>): number[] {
  const { arena } = (runtime as unknown as { machine: { arena: ArenaState } }).machine
  return [arena.top - arena.free.reduce((sum, { bytes }) => sum + bytes, 0), arena.memory.buffer.byteLength]
}

describe('the memory of the kernels', () => {
  it('does not grow over 10 000 training steps whose weights change every time', { timeout: 60_000 }, () => {
    const runtime = wasmRuntime('simd', 2)
    const shape = { ...REFERENCE, batch: 4, time: 3 }
    const { inputs, upstream } = problem(shape)
    const step = () => {
      const { saved } = runtime.recurrent.forward(shape, { ...inputs, version: [{}] })
      saved?.backward(upstream)
      saved?.release()
    }
    for (let warmUp = 0; warmUp < 10; warmUp++) step()
    const before = bytesOf(runtime)
    for (let count = 0; count < 10_000; count++) step()
    expect(bytesOf(runtime)).toEqual(before)
  })

  it('is free again when shapes change', () => {
    const runtime = wasmRuntime('simd', 1)
    const run = (batch: number) => compute(runtime, { ...REFERENCE, batch, time: 4 })
    for (let batch = 1; batch < 20; batch++) run(batch)
    const [before] = bytesOf(runtime)
    for (let round = 0; round < 3; round++) for (let batch = 1; batch < 20; batch++) run(batch)
    expect(bytesOf(runtime)[0]).toBe(before)
  })

  it('has one typed error for a pass that does not fit, and the next one works', () => {
    const runtime = wasmRuntime('simd', 1)
    const small = { ...REFERENCE, batch: 1 }
    const { inputs } = problem(small)
    for (const shape of [
      { ...REFERENCE, batch: 100_000 },
      { ...REFERENCE, hiddenSize: 200_000 },
      { ...REFERENCE, time: 2 ** 30 },
    ]) {
      const huge = () => runtime.recurrent.forward(shape, { ...inputs, initial: undefined })
      expect(huge).toThrow(expect.objectContaining({ code: 'KERNEL_MEMORY' }))
    }
    expect(runtime.recurrent.forward(small, inputs).h).toHaveLength(REFERENCE.hiddenSize)
  })
})
