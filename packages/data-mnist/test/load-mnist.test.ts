import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type LoadMnistOptions, loadMnist, normalize, pixelStatistics } from '../src'
import { dataDirectory, idx } from './idx-files'

const code = (code: string) => expect.objectContaining({ code })

describe('loadMnist() from the npm package', () => {
  it('gives the 60 000 and the 10 000 real images with their labels', async () => {
    const { train, test } = await loadMnist()
    expect([train.length, train.height, train.width, test.length]).toEqual([60000, 28, 28, 10000])
    expect([...train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3])
    expect([...test.labels.subarray(0, 8)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9])
    expect(train.images.length).toBe(60000 * 784)
    expect(train.images.subarray(0, 784).reduce((sum, pixel) => sum + pixel, 0)).toBe(27525)
  })
})

describe('loadMnist({ root })', () => {
  it('reads plain files', async () => {
    const root = await dataDirectory()
    const { train, test } = await loadMnist({ root })
    expect(train).toMatchObject({ name: `${basename(root)} train`, length: 5, height: 2, width: 3 })
    expect([...test.images.subarray(0, 3), ...test.labels]).toEqual([100, 101, 102, 9, 2])
  })

  it('reads .gz files and the older names', async () => {
    const labels = idx([5], [0, 0, 0, 0, 7])
    const root = await dataDirectory({
      'train-labels-idx1-ubyte': null,
      'train-labels.idx1-ubyte.gz': gzipSync(labels),
    })
    expect([...(await loadMnist({ root })).train.labels]).toEqual([0, 0, 0, 0, 7])
  })

  it('names Fashion-MNIST’s classes', async () => {
    const { train } = await loadMnist({ root: await dataDirectory(), variant: 'fashion-mnist' })
    expect(train.classNames[9]).toBe('Ankle boot')
  })

  it('names the missing file and where it looked', async () => {
    const root = await dataDirectory({ 't10k-labels-idx1-ubyte': null })
    await expect(loadMnist({ root })).rejects.toThrow(/holds no t10k-labels-idx1-ubyte .*\.gz/)
  })

  it('refuses a directory in the place of a file', async () => {
    const root = await dataDirectory({ 't10k-labels-idx1-ubyte': null })
    await mkdir(join(root, 't10k-labels-idx1-ubyte'))
    await expect(loadMnist({ root })).rejects.toThrow(code('DATA_NOT_FOUND'))
  })

  it('refuses a labels file given as images', async () => {
    const root = await dataDirectory({ 'train-images-idx3-ubyte': idx([5], [3, 1, 4, 1, 5]) })
    await expect(loadMnist({ root })).rejects.toThrow(/rank at offset 3 is 1, expected 3/)
  })

  it('refuses another number of labels than of images', async () => {
    const root = await dataDirectory({ 'train-labels-idx1-ubyte': idx([4], [3, 1, 4, 1]) })
    await expect(loadMnist({ root })).rejects.toThrow(/5 images but 4 labels/)
  })

  it('names the classes of data of the caller’s own by their numbers, in both halves', async () => {
    const root = await dataDirectory({ 'train-labels-idx1-ubyte': idx([5], [3, 1, 12, 1, 5]) })
    const { train, test } = await loadMnist({ root })
    expect(train.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'])
    expect(test.classNames).toEqual(train.classNames)
  })

  it('refuses a label without a class where the classes are named', async () => {
    const root = await dataDirectory({ 'train-labels-idx1-ubyte': idx([5], [3, 1, 10, 1, 5]) })
    await expect(loadMnist({ root, variant: 'mnist' })).rejects.toThrow(/label 2 is 10, expected 0 to 9/)
    const classNames = Array.from({ length: 11 }, (_, i) => `class ${i}`)
    expect((await loadMnist({ root, classNames })).train.labels[2]).toBe(10)
  })

  it('refuses halves whose images differ in size, naming both', async () => {
    const root = await dataDirectory({ 't10k-images-idx3-ubyte': idx([2, 3, 2], new Uint8Array(12)) })
    await expect(loadMnist({ root })).rejects.toThrow(/training images are 2 × 3 pixels, the test images 3 × 2/)
  })

  it('says that a directory is not there, or is a file', async () => {
    const root = await dataDirectory()
    await expect(loadMnist({ root: join(root, 'none') })).rejects.toThrow(
      /none cannot be read: there is no such file or directory/,
    )
    await expect(loadMnist({ root: join(root, 't10k-labels-idx1-ubyte') })).rejects.toThrow(/is a file; pass the dir/)
  })

  it('refuses a gzip bomb by the size in its header', async () => {
    const root = await dataDirectory({ 'train-images-idx3-ubyte': null })
    const bomb = Buffer.concat([idx([5, 2, 3], new Uint8Array(30)), new Uint8Array(1 << 24)])
    await writeFile(join(root, 'train-images-idx3-ubyte.gz'), gzipSync(bomb))
    await expect(loadMnist({ root })).rejects.toThrow(/more than the 46 bytes/)
    await writeFile(join(root, 'train-images-idx3-ubyte.gz'), gzipSync(idx([2 ** 31, 2 ** 31, 9], [])))
    await expect(loadMnist({ root })).rejects.toThrow(code('IDX_INVALID'))
  })
})

describe('loadMnist() with options that cannot be', () => {
  it.each<[object, string]>([
    [{ rot: 'x' }, "loadMnist() has no option 'rot'"],
    [{ root: '' }, 'root is ""'],
    [{ classNames: ['a', 'a'] }, 'expected one name per class, all different'],
    [{ classNames: 'cat,dog' }, 'classNames is "cat,dog"'],
  ])('refuses %j', async (options, message) => {
    await expect(loadMnist(options as LoadMnistOptions)).rejects.toThrow(message)
  })
})

describe('pixelStatistics', () => {
  it('gives MNIST’s mean and standard deviation', async () => {
    const { mean, std } = pixelStatistics((await loadMnist()).train)
    expect([mean.toFixed(4), std.toFixed(4)]).toEqual(['0.1307', '0.3081'])
  })

  it('makes a table that gives pixels a mean of 0 and a deviation of 1', () => {
    const images = Uint8Array.of(0, 10, 200, 255)
    const { mean, std } = pixelStatistics({ name: 'x', images })
    const table = normalize(mean, std)
    const values = Array.from(images, (byte) => table[byte])
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5)
    expect(values.reduce((sum, value) => sum + value * value, 0) / 4).toBeCloseTo(1, 5)
  })

  it('refuses images whose pixels are all alike', () => {
    expect(() => pixelStatistics({ name: 'mine', images: Uint8Array.of(7, 7) })).toThrow('mine: all pixels are 7')
  })
})
