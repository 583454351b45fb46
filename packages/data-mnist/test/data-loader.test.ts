import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { createHash } from 'node:crypto'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import manualSeed from '../../torch-random/test/vectors/manual-seed.json' with { type: 'json' }
import { DataLoader, type DataLoaderOptions, type ImageDataset, imageDataset, normalize, subset } from '../src'

/** A data set of 1 × 2 pixel images that hold their own index, as two bytes. */
function numbered(length: number): ImageDataset {
  const images = new Uint8Array(new Uint16Array(Array.from({ length }, (_, i) => i)).buffer)
  return imageDataset({
    name: 'numbered',
    height: 1,
    width: 2,
    images,
    labels: new Uint8Array(length),
    classNames: ['any'],
  })
}

const rawBytes = Float32Array.from({ length: 256 }, (_, byte) => byte)

/** The indices in each batch of one epoch. */
function epoch(loader: DataLoader<Images>): number[][] {
  return Array.from(loader, ({ inputs }) => {
    const bytes = inputs.dataSync()
    return Array.from({ length: inputs.shape[0] }, (_, row) => bytes[2 * row] + 256 * bytes[2 * row + 1])
  })
}

type Images = { inputs: tf.Tensor3D; targets: tf.Tensor1D }

const shuffled = (length: number, seed: number, options: DataLoaderOptions<Images> = {}) =>
  new DataLoader(numbered(length), { shuffle: true, generator: new Generator(seed), transform: rawBytes, ...options })

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('normalize', () => {
  it('is PyTorch’s ToTensor and Normalize for the darkest and the brightest pixel', () => {
    const table = normalize(0.1307, 0.3081)
    expect([table[0], table[255]]).toEqual([Math.fround(-0.4242129623889923), Math.fround(2.821486711502075)])
  })

  it.each([
    [Number.NaN, 1],
    [0, 0],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses mean %s and std %s', (mean, std) => {
    expect(() => normalize(mean, std)).toThrow(expect.objectContaining({ code: 'LOADER_OPTION' }))
  })
})

describe('DataLoader', () => {
  it('hands out file order without shuffle, the last batch short', () => {
    expect(epoch(new DataLoader(numbered(5), { batchSize: 2, transform: rawBytes }))).toEqual([[0, 1], [2, 3], [4]])
  })

  it('leaves the short batch out when asked', () => {
    const loader = new DataLoader(numbered(5), { batchSize: 2, dropLast: true, transform: rawBytes })
    expect([epoch(loader), loader.length, loader.samples]).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      2,
      4,
    ])
  })

  it('visits every sample exactly once per epoch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(),
        (length, batchSize, seed) => {
          const visited = epoch(shuffled(length, seed, { batchSize })).flat()
          expect(visited.sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i))
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each(manualSeed)('takes PyTorch’s order with seed $seed over $samples samples, epoch after epoch', (reference) => {
    const generator = new Generator(reference.seed)
    for (const { shape } of Object.values(reference.init)) {
      generator.uniform(new Float32Array((shape as number[]).reduce((a, b) => a * b, 1)))
    }
    const loader = shuffled(reference.samples, 0, { generator, batchSize: reference.batch })
    for (const { sha256_of_int32_order } of reference.epochs) {
      const order = Int32Array.from(epoch(loader).flat())
      expect(createHash('sha256').update(order).digest('hex')).toBe(sha256_of_int32_order)
    }
  })

  it('draws the iterator’s base seed even without shuffle, as PyTorch does', () => {
    const [used, plain] = [new Generator(3), new Generator(3)]
    epoch(new DataLoader(numbered(4), { generator: used, transform: rawBytes }))
    plain.randomInt64()
    expect(used.random()).toBe(plain.random())
  })

  it('puts an image’s rows on the time axis and its label into int32 targets', () => {
    const images = Uint8Array.from([0, 51, 102, 153, 204, 255])
    const classNames = [...'01234567']
    const dataset = imageDataset({ name: 'one', height: 3, width: 2, images, labels: Uint8Array.of(7), classNames })
    const [batch] = Array.from(new DataLoader(dataset), ({ inputs, targets }) => ({
      inputs: inputs.arraySync(),
      targets: [targets.dtype, ...targets.dataSync()],
    }))
    const unit = [0, 0.2, 0.4, 0.6, 0.8, 1].map(Math.fround)
    expect(batch).toEqual({ inputs: [[unit.slice(0, 2), unit.slice(2, 4), unit.slice(4)]], targets: ['int32', 7] })
  })

  it('leaves no tensor behind, whether the loop ends or is left', () => {
    const before = tf.memory().numTensors
    const loader = new DataLoader(numbered(9), { batchSize: 2 })
    epoch(loader)
    for (const { inputs } of loader) if (inputs.shape[0] === 2) break
    expect(tf.memory().numTensors).toBe(before)
  })

  it('goes on from its state anywhere in an epoch with the batches that were left and the same later epochs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(40),
        (length, batchSize, cut) => {
          const loader = shuffled(length, 5, { batchSize })
          epoch(loader)
          const done = Math.min(cut, loader.length)
          const iterator = loader[Symbol.iterator]()
          for (let i = 0; i < done; i++) iterator.next()
          const state = structuredClone(loader.state())
          iterator.return?.()
          const uninterrupted = shuffled(length, 5, { batchSize })
          const epochs = [epoch(uninterrupted), epoch(uninterrupted), epoch(uninterrupted)]
          const resumed = shuffled(length, 99, { batchSize })
          resumed.restore(state)
          expect([epoch(resumed), epoch(resumed)]).toEqual([epochs[1].slice(done), epochs[2]])
        },
      ),
    )
  })
})

describe('DataLoader.state()', () => {
  it('holds what others drew from the shared generator in the middle of the epoch', () => {
    const generator = new Generator(3)
    const loader = new DataLoader(numbered(4), { batchSize: 2, shuffle: true, generator })
    const iterator = loader[Symbol.iterator]()
    iterator.next()
    generator.random() // as a model's dropout does
    const state = structuredClone(loader.state())
    iterator.return?.()
    const other = new Generator(99)
    const resumed = new DataLoader(numbered(4), { batchSize: 2, shuffle: true, generator: other })
    resumed.restore(state)
    resumed[Symbol.iterator]().next()
    expect(other.random()).toBe(generator.random())
  })
})

describe('DataLoader refuses', () => {
  const refused = expect.objectContaining({ code: 'LOADER_OPTION' })

  it.each([0, -1, 1.5, Number.NaN])('batchSize %s', (batchSize) => {
    expect(() => new DataLoader(numbered(3), { batchSize })).toThrow(refused)
  })

  it('shuffle without a generator, saying how to mend it', () => {
    expect(() => new DataLoader(numbered(3), { shuffle: true })).toThrow(/generator: new Generator\(seed\)/)
  })

  it('a table that is not one entry a byte', () => {
    expect(() => new DataLoader(numbered(3), { transform: new Float32Array(10) })).toThrow(refused)
  })

  it('an option that it does not have', () => {
    expect(() => new DataLoader(numbered(3), { batchsize: 4 } as DataLoaderOptions)).toThrow(
      "new DataLoader() has no option 'batchsize'",
    )
  })

  it.each<[unknown, string]>([
    [
      { train: 1, test: 2 },
      'got { train, test }, expected one data set, such as a TensorDataset, or train of loadMnist()',
    ],
    [undefined, 'got undefined'],
    [{ ...numbered(2), images: new Uint8Array(4) }, 'got { name,'],
  ])('%j instead of a data set', (dataset, message) => {
    expect(() => new DataLoader(dataset as ImageDataset)).toThrow(message)
  })

  it('a state past its end, or taken with a generator that it lacks', () => {
    const loader = new DataLoader(numbered(3), { batchSize: 1 })
    const state = loader.state()
    expect(() => loader.restore({ ...state, batchesDone: 4 })).toThrow(refused)
    expect(() => loader.restore({ ...state, generator: new Generator().state() })).toThrow(/with a generator/)
  })

  it('a state of another batch size or number of samples, naming both', () => {
    const state = new DataLoader(numbered(3), { batchSize: 1 }).state()
    expect(() => new DataLoader(numbered(3), { batchSize: 2 }).restore(state)).toThrow(/batchSize 1, this loader 2/)
    expect(() => new DataLoader(numbered(4), { batchSize: 1 }).restore(state)).toThrow(/samples 3, this loader 4/)
  })

  it('a state whose bytes are no generator’s, and is unchanged', () => {
    const loader = shuffled(4, 5, { batchSize: 1 })
    const state = loader.state()
    loader[Symbol.iterator]().next()
    const before = loader.state()
    expect(before).not.toEqual(state)
    expect(() => loader.restore({ ...state, epochStart: new Uint8Array(3) })).toThrow(/has 3 bytes/)
    expect(loader.state()).toEqual(before)
  })
})

describe('subset', () => {
  it('is a window on the same bytes', () => {
    const whole = numbered(10)
    const window = subset(whole, 4, 7)
    expect(window.images.buffer).toBe(whole.images.buffer)
    expect(epoch(new DataLoader(window, { transform: rawBytes }))).toEqual([[4, 5, 6]])
  })

  it.each([
    [3, 3],
    [-1, 2],
    [0, 11],
    [0.5, 2],
  ])('refuses %s … %s of 10', (start, end) => {
    expect(() => subset(numbered(10), start, end)).toThrow(expect.objectContaining({ code: 'LOADER_OPTION' }))
  })
})

describe.each(['cpu', 'wasm'])('a clone of a batch on the %s backend', (backend) => {
  it('keeps its values when the next batches come', async () => {
    await tf.setBackend(backend)
    const images = Uint8Array.from({ length: 24 }, (_, k) => k)
    const labels = new Uint8Array(6)
    const dataset = imageDataset({ name: 'counted', height: 2, width: 2, images, labels, classNames: ['0'] })
    const table = Float32Array.from({ length: 256 }, (_, byte) => byte)
    const clones = Array.from(new DataLoader(dataset, { batchSize: 2, transform: table }), ({ inputs }) =>
      tf.clone(inputs),
    )
    expect(clones.flatMap((clone) => Array.from(clone.dataSync()))).toEqual(Array.from(images))
    tf.dispose(clones)
  })
})
