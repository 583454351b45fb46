import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataLoader } from '@rowwise/data'
import { readImageFolder } from '@rowwise/data/images'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { PNG } from 'pngjs'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'

/** A picture of one colour. */
const png = (width: number, height: number, colour: number[]) => {
  const picture = new PNG({ width, height })
  for (let pixel = 0; pixel < width * height; pixel++) picture.data.set([...colour, 255], 4 * pixel)
  return PNG.sync.write(picture)
}

const folder = (files: Record<string, Uint8Array | string>) => {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-images-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('readImageFolder', () => {
  it('reads the pictures of each class, in the order of their names', async () => {
    const directory = folder({
      'b/2.png': png(2, 3, [255, 255, 255]),
      'b/1.png': png(2, 3, [255, 0, 0]),
      'a/x.PNG': png(2, 3, [0, 255, 0]),
      'a/notes.txt': 'not a picture',
      'readme.md': 'not a class',
    })
    const { dataset, classNames, files, height, width } = await readImageFolder(directory)
    expect([classNames, files, height, width]).toEqual([['a', 'b'], ['a/x.PNG', 'b/1.png', 'b/2.png'], 3, 2])
    await tf.setBackend('cpu')
    for (const { inputs, targets } of new DataLoader(dataset)) {
      expect([inputs.dtype, inputs.shape, targets.arraySync()]).toEqual(['int32', [3, 3, 2], [0, 1, 1]])
      expect([...new Set(inputs.dataSync())]).toEqual([150, 76, 255]) // Pillow's convert('L') of green, red and white
    }
  })

  it('follows links, and takes nothing hidden for a class', async () => {
    const elsewhere = folder({ '1.png': png(1, 1, [9, 9, 9]) })
    const directory = folder({ 'b/1.png': png(1, 1, [1, 1, 1]), '.ipynb_checkpoints/1.png': png(1, 1, [2, 2, 2]) })
    symlinkSync(elsewhere, join(directory, 'a'))
    const { classNames, files } = await readImageFolder(directory)
    expect([classNames, files]).toEqual([
      ['a', 'b'],
      ['a/1.png', 'b/1.png'],
    ])
  })

  it('refuses a class without a picture, and a link to nothing', async () => {
    const directory = folder({ 'a/1.png': png(1, 1, [1, 1, 1]), 'b/notes.txt': '' })
    await expect(readImageFolder(directory)).rejects.toThrow(code('DATA_NOT_FOUND', /b is a class without a picture/))
    symlinkSync(join(directory, 'gone.png'), join(directory, 'b/1.png'))
    await expect(readImageFolder(directory)).rejects.toThrow(code('IMAGE_INVALID', /b\/1\.png: cannot be read/))
  })

  it('keeps the colours where it is told to, and the classes in another order', async () => {
    const directory = folder({ 'a/1.png': png(1, 1, [1, 2, 3]), 'b/1.png': png(1, 1, [4, 5, 6]) })
    const { dataset } = await readImageFolder(directory, { channels: 3, classNames: ['b', 'a'] })
    expect(dataset.samples.inputs).toEqual({ data: Uint8Array.of(4, 5, 6, 1, 2, 3), shape: [2, 1, 3] })
  })

  it('reads JPEG and WebP with sharp', async () => {
    const grey = () => sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 90, g: 90, b: 90 } } })
    const directory = folder({ 'a/1.jpg': await grey().jpeg().toBuffer(), 'a/2.webp': await grey().webp().toBuffer() })
    const { dataset } = await readImageFolder(directory)
    const { data, shape } = dataset.samples.inputs
    expect(shape).toEqual([2, 8, 8])
    expect(Math.max(...data.map((value) => Math.abs(value - 90)))).toBeLessThanOrEqual(2)
  })

  it('tells how far it is, and stops at a signal', async () => {
    const directory = folder({ 'a/1.png': png(1, 1, [1, 2, 3]), 'a/2.png': png(1, 1, [4, 5, 6]) })
    const told: string[] = []
    await readImageFolder(directory, {
      onProgress: ({ source, done, total }) => void told.push(`${source} ${done}/${total}`),
    })
    expect(told).toEqual(['a/1.png 0/2', 'a/2.png 1/2'])
    await expect(readImageFolder(directory, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    )
  })

  it.each<[string, Record<string, Uint8Array | string>, string, RegExp]>([
    [
      'pictures of two sizes',
      { 'a/1.png': png(1, 2, [0, 0, 0]), 'b/1.png': png(2, 1, [0, 0, 0]) },
      'IMAGE_INVALID',
      /b\/1\.png is 1 × 2 pixels, a\/1\.png is 2 × 1/,
    ],
    ['what is not a picture', { 'a/1.png': 'text' }, 'IMAGE_INVALID', /a\/1\.png: is not a PNG that can be read/],
    ['a JPEG that is none', { 'a/1.jpg': 'text' }, 'IMAGE_INVALID', /a\/1\.jpg: cannot be read/],
    ['a cut picture', { 'a/1.png': png(9, 9, [1, 2, 3]).subarray(0, 50) }, 'IMAGE_INVALID', /a\/1\.png: is not a PNG/],
    [
      'a picture without a class',
      { '1.png': png(1, 1, [0, 0, 0]) },
      'DATA_NOT_FOUND',
      /has no picture in a folder of its class/,
    ],
  ])('refuses %s', async (_, files, expected, message) => {
    await expect(readImageFolder(folder(files))).rejects.toThrow(code(expected, message))
  })

  it('refuses a picture that claims to be huge before it is unpacked', async () => {
    const claims = Uint8Array.from(png(1, 1, [0, 0, 0]))
    new DataView(claims.buffer).setUint32(16, 50_000)
    new DataView(claims.buffer).setUint32(20, 50_000)
    await expect(readImageFolder(folder({ 'a/1.png': claims }))).rejects.toThrow(
      /has 50000 × 50000 pixels, the limit is/,
    )
  })

  it('refuses a folder that is not there, and options that cannot be', async () => {
    await expect(readImageFolder('/gone')).rejects.toThrow(code('DATA_NOT_FOUND', /\/gone cannot be read/))
    await expect(readImageFolder('x', { channels: 4 as 3 })).rejects.toThrow(code('LOADER_OPTION', /channels is 4/))
  })
})
