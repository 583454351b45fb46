import { afterEach, describe, expect, it, vi } from 'vitest'
import { configureKernels, kernelReport } from '../src'
import { builds, instructionSets } from './runtimes'

afterEach(() => {
  delete process.env.ROWWISE_KERNELS
  delete process.env.ROWWISE_THREADS
  configureKernels({})
})

/** What a page does whose policy has no 'wasm-unsafe-eval'. */
function forbid(): never {
  throw new WebAssembly.CompileError('WebAssembly.Module(): Wasm code generation disallowed by embedder')
}

function refuse(): never {
  throw new RangeError('WebAssembly.Memory(): could not allocate memory')
}

/** A copy of the module that has looked at nothing yet, where there is no native code. */
async function withoutAddon(reason: string | null = null): Promise<typeof import('../src/configure')> {
  vi.resetModules()
  vi.doMock('../src/runtimes/native/find-addon', () => ({ findAddon: () => ({ reason }) }))
  const copy = await import('../src/configure')
  vi.doUnmock('../src/runtimes/native/find-addon')
  return copy
}

describe('configureKernels', () => {
  it('takes the best path by itself, and one thread per processor', () => {
    const [instructions] = instructionSets
    expect(configureKernels({})).toMatchObject(
      instructions
        ? { path: 'native', instructions, fused: instructions !== 'sse2', notes: [] }
        : {
            path: builds.at(-1),
            notes: expect.arrayContaining([expect.stringMatching(/has no native code: no C compiler was found/)]),
          },
    )
    expect(kernelReport().threads).toBeGreaterThanOrEqual(1)
  })

  it('takes WebAssembly where there is no native code, and says why', async () => {
    const { configureKernels } = await withoutAddon('it is not installed')
    const { path, notes } = configureKernels({})
    expect([path, notes[0]]).toEqual([builds.at(-1), 'it is not installed'])
    expect(() => configureKernels({ path: 'native' })).toThrow("path is 'native', but it is not installed")
  })

  it.runIf(instructionSets.length > 0)('refuses native code of another version', async () => {
    vi.resetModules()
    vi.doMock('../src/generated/sources', () => ({ SOURCES: 'of another version' }))
    const { configureKernels } = await import('../src/configure')
    vi.doUnmock('../src/generated/sources')
    const { path, notes } = configureKernels({})
    expect([path, notes[0]]).toEqual([
      builds.at(-1),
      expect.stringMatching(/is of another version than @rowwise\/rnn-kernels; install both anew/),
    ])
  })

  it('takes relaxed SIMD before SIMD, and says why not', async () => {
    const { configureKernels } = await withoutAddon()
    expect(configureKernels({})).toMatchObject(
      builds.includes('relaxed-simd')
        ? { path: 'relaxed-simd', notes: [] }
        : { path: 'simd', notes: [expect.stringMatching(/no WebAssembly relaxed SIMD \(it needs Node 22 or newer\)/)] },
    )
  })

  it('runs what it is told to', () => {
    expect(configureKernels({ path: 'simd', threads: 3 })).toEqual({
      ...{ path: 'simd', fused: false, threads: 3, requestedThreads: 3, milliseconds: 0, notes: [] },
    })
    expect(configureKernels({ path: 'js' })).toMatchObject({ path: 'js', threads: 1 })
    expect(configureKernels({ path: 'off' })).toMatchObject({ path: 'off' })
  })

  describe('falls back to plain JavaScript', () => {
    /** What is configured by a copy of the module that has looked at nothing yet, where WebAssembly is this. */
    const reportWith = async (assembly: unknown) => {
      const { configureKernels } = await withoutAddon()
      vi.stubGlobal('WebAssembly', assembly)
      try {
        return configureKernels({})
      } finally {
        vi.unstubAllGlobals()
      }
    }

    /** WebAssembly with something else in it. */
    const changed = (changes: object) => Object.assign(Object.create(WebAssembly), changes)

    it.each<[string, unknown, RegExp]>([
      ['without WebAssembly', undefined, /this runtime has no WebAssembly \(/],
      ['without its vectors', changed({ validate: () => false }), /no WebAssembly SIMD \(it needs a CPU/],
      [
        'where a policy forbids it',
        changed({ Module: forbid }),
        /a policy forbids WebAssembly here .*wasm-unsafe-eval/,
      ],
      ['where there is no memory for it', changed({ Memory: refuse }), /memory/],
    ])('%s, and says why', async (_, assembly, reason) => {
      const { path, threads, notes } = await reportWith(assembly)
      expect([path, threads, notes.at(-1)]).toEqual(['js', 1, expect.stringMatching(reason)])
    })
  })

  it.runIf(builds.includes('relaxed-simd'))(
    'passes relaxed SIMD over where its multiply-add rounds twice, as in JavaScriptCore, and says so',
    async () => {
      const { configureKernels } = await withoutAddon()
      const roundsTwice = { exports: { f: (a: number, b: number, c: number) => Math.fround(a * b) + c } }
      const Instance = new Proxy(WebAssembly.Instance, {
        // The probe's module is the only one without imports.
        construct: (target, args) => (args[1] ? new target(args[0], args[1]) : roundsTwice),
      })
      vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Instance }))
      try {
        const { path, notes } = configureKernels({})
        expect([path, notes]).toEqual(['simd', [expect.stringMatching(/does not fuse multiply and add here/)]])
        expect(() => configureKernels({ path: 'relaxed-simd' })).toThrow(/path is 'relaxed-simd', but relaxed SIMD/)
      } finally {
        vi.unstubAllGlobals()
      }
    },
  )

  it('follows the environment where the program says nothing', () => {
    process.env.ROWWISE_KERNELS = 'simd'
    process.env.ROWWISE_THREADS = '2'
    expect(configureKernels({})).toMatchObject({ path: 'simd', threads: 2 })
    expect(configureKernels({ threads: 1 })).toMatchObject({ path: 'simd', threads: 1 })
  })

  it.each([
    [{ threads: 0 }, /threads is 0, expected 'auto' or an integer from 1 to 64/],
    [{ thread: 1 } as never, /configureKernels\(\) has no option 'thread', expected some of path, threads/],
    ['js' as never, /configureKernels\(\) got "js" as its options/],
    [{ threads: 65 }, /threads is 65/],
    [{ threads: 1.5 }, /threads is 1.5/],
    [{ path: 'avx' as 'js' }, /path is 'avx', expected one of auto, native, relaxed-simd, simd, js, off/],
  ])('refuses %j, and leaves what runs as it is', (options, message) => {
    configureKernels({ path: 'js' })
    expect(() => configureKernels(options)).toThrow(message)
    expect(kernelReport().path).toBe('js')
  })

  it('refuses nonsense in the environment', () => {
    process.env.ROWWISE_THREADS = 'many'
    expect(() => configureKernels({})).toThrow(/ROWWISE_THREADS is 'many', expected/)
    process.env.ROWWISE_THREADS = '0x2'
    expect(() => configureKernels({ path: 'off' })).toThrow(/ROWWISE_THREADS is '0x2', expected/)
    process.env.ROWWISE_THREADS = '1'
    process.env.ROWWISE_KERNELS = 'gpu'
    expect(() => configureKernels({})).toThrow(/ROWWISE_KERNELS is 'gpu', expected/)
  })
})
