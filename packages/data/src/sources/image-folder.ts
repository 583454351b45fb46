import { reasonOf, refuseUnknownOptions } from '@rowwise/errors'
import { PNG } from 'pngjs'
import type { Column } from '../column'
import { TensorDataset } from '../dataset'
import { DataNotFoundError, ImageError, LoaderOptionError } from '../errors'
import { nodeFs } from './bytes'
import type { ReadOptions } from './progress'

/** A picture with more pixels than that is refused before it is unpacked: 100 million take 400 MB. */
const MAX_PIXELS = 100_000_000

/** All pictures together may take so many bytes. */
const MAX_BYTES = 2 ** 32

/** How {@link readImageFolder} reads. */
export interface ImageFolderOptions extends ReadOptions {
  /** 1: grey, by ITU-R 601-2 luma as Pillow's `convert('L')`; 3: red, green and blue side by side. @default 1 */
  channels?: 1 | 3
  /** The names of the classes, in the order of their labels. @default the names of the folders, in their order by code point */
  classNames?: readonly string[]
}

/** Pictures by class: `inputs` uint8 `[N, height, width · channels]`, a row of pixels a time step; `targets` int32 `[N]`. */
export interface ImageFolder {
  /** The pictures, folder by folder. */
  readonly dataset: TensorDataset<{ inputs: Column; targets: Column }>
  /** One name per class, by label. */
  readonly classNames: readonly string[]
  /** The file of each sample, from the folder on. */
  readonly files: readonly string[]
  /** Rows of a picture, in pixels. */
  readonly height: number
  /** Columns of a picture, in pixels. */
  readonly width: number
}

/**
 * Reads a folder that has a folder of pictures for each class, as torchvision's `ImageFolder`. PNG needs nothing else; JPEG, WebP and others
 * are read where the package `sharp` is installed. All pictures must have one size.
 *
 * @throws {@link DataNotFoundError} when there is no such folder, no picture, or a folder of pictures that is not among
 * the `classNames`; {@link ImageError} with the file when one cannot be read or
 * has another size; {@link LoaderOptionError} for an option that cannot be; the reason of `signal`.
 * @example
 * ```ts
 * const { dataset, classNames } = await readImageFolder('digits') // digits/zero/1.png, digits/one/1.png, …
 * ```
 */
export async function readImageFolder(directory: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const known = { channels: true, classNames: true, onProgress: true, signal: true } as const
  refuseUnknownOptions('readImageFolder()', options, known, LoaderOptionError)
  const { channels = 1, onProgress, signal } = options
  if (channels !== 1 && channels !== 3) throw new LoaderOptionError(`channels is ${channels}, expected 1 or 3`)
  const folders = (await list(directory, directory)).filter(({ isFolder }) => isFolder).map(({ name }) => name)
  const classNames = options.classNames ?? folders
  for (const stranger of folders.filter((name) => !classNames.includes(name))) {
    const pictures = (await list(join(directory, stranger), directory)).filter(isPicture).length
    if (pictures === 0) continue
    throw new DataNotFoundError(
      `${join(directory, stranger)} has ${pictures} pictures of none of the classes ${classNames.join(', ')}; take it out, or name it among them`,
    )
  }
  const listed: { file: string; label: number }[] = []
  for (const [label, name] of classNames.entries()) {
    const entries = await list(join(directory, name), directory)
    const pictures = entries.filter(isPicture)
    if (pictures.length === 0) {
      throw new DataNotFoundError(`${join(directory, name)} is a class without a picture; put some in, or remove it`)
    }
    listed.push(...pictures.map((entry) => ({ file: join(name, entry.name), label })))
  }
  if (listed.length === 0) {
    throw new DataNotFoundError(`${directory} has no picture in a folder of its class, such as ${directory}/cat/1.png`)
  }
  const pictures = new PictureList(channels)
  for (const [done, { file }] of listed.entries()) {
    signal?.throwIfAborted()
    onProgress?.({ source: file, done, total: listed.length })
    pictures.add(file, await decode(join(directory, file)), listed.length)
  }
  const { data, height, width } = pictures
  return {
    dataset: new TensorDataset({
      inputs: { data, shape: [listed.length, height, width * channels] },
      targets: { data: Int32Array.from(listed, ({ label }) => label), shape: [listed.length] },
    }),
    ...{ classNames, height, width },
    files: listed.map(({ file }) => file),
  }
}

const EXTENSION = /\.(png|jpe?g|webp|gif|tiff?|avif|bmp)$/i

/**
 * Whether a file is a picture that {@link readImage} may read, by the ending of its name.
 *
 * @example
 * ```ts
 * console.log(isImageName('cat.JPG')) // true
 * ```
 */
export function isImageName(name: string): boolean {
  return EXTENSION.test(name)
}

function isPicture({ name, isFolder }: { name: string; isFolder: boolean }): boolean {
  return !isFolder && isImageName(name)
}

/** The pixels of a picture. */
export interface Picture {
  /** Columns. */
  width: number
  /** Rows. */
  height: number
  /** Red, green, blue and alpha of each pixel, `[height, width, 4]`. */
  data: Uint8Array
}

/** The pixels of pictures of one size. */
class PictureList {
  data = new Uint8Array(0)
  height = 0
  width = 0
  private count = 0
  private first = ''

  constructor(private readonly channels: 1 | 3) {}

  add(file: string, { width, height, data }: Picture, total: number): void {
    const size = width * height * this.channels
    if (this.count === 0) {
      if (size * total > MAX_BYTES)
        throw new ImageError(`${total} pictures of ${height} × ${width} need ${size * total} bytes; make them smaller`)
      this.data = new Uint8Array(size * total)
      this.height = height
      this.width = width
      this.first = file
    }
    if (height !== this.height || width !== this.width) {
      throw new ImageError(
        `${file} is ${height} × ${width} pixels, ${this.first} is ${this.height} × ${this.width}; scale all to one size`,
      )
    }
    const to = this.data.subarray(this.count * size, (this.count + 1) * size)
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [r, g, b] = [data[4 * pixel], data[4 * pixel + 1], data[4 * pixel + 2]]
      if (this.channels === 1)
        to[pixel] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16 // Pillow's own integers
      else to.set([r, g, b], 3 * pixel)
    }
    this.count += 1
  }
}

/**
 * Reads a picture as {@link readImageFolder} does: PNG, and JPEG, WebP and others if the package `sharp` is installed.
 *
 * @throws {@link ImageError} when it cannot be read.
 * @example
 * ```ts
 * const { width, height } = await readImage('cat.jpg')
 * ```
 */
export function readImage(path: string): Promise<Picture> {
  return decode(path)
}

async function decode(path: string): Promise<Picture> {
  const bytes = await nodeFs(path)
    .readFile(path)
    .catch((cause) => {
      throw new ImageError(`${path}: cannot be read: ${reasonOf(cause)}`, { cause })
    })
  if (!/\.png$/i.test(path)) return decodeBySharp(path, bytes)
  try {
    const [width, height] = bytes.length < 24 ? [0, 0] : [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    if (width * height > MAX_PIXELS) throw new ImageError(`has ${width} × ${height} pixels, the limit is ${MAX_PIXELS}`)
    return PNG.sync.read(bytes)
  } catch (cause) {
    throw new ImageError(`${path}: is not a PNG that can be read: ${reasonOf(cause)}; save it anew`, { cause })
  }
}

async function decodeBySharp(path: string, bytes: Uint8Array): Promise<Picture> {
  const sharp = await import('sharp').then(
    (module) => module.default,
    (cause) => {
      throw new ImageError(
        `${path}: only PNG is read without the package sharp; npm install sharp, or save it as PNG`,
        { cause },
      )
    },
  )
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS }).toColourspace('srgb').ensureAlpha().raw()
    const { data, info } = await picture.toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height }
  } catch (cause) {
    throw new ImageError(`${path}: cannot be read: ${reasonOf(cause)}; save it anew`, { cause })
  }
}

/** What is in a folder, links followed and hidden entries left out, in its order by code point. */
async function list(path: string, directory: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await nodeFs(path).readdir(path, { withFileTypes: true })
    const seen = entries.filter(({ name }) => !name.startsWith('.'))
    const named = seen.map(async (entry) => {
      const target = entry.isSymbolicLink()
        ? await nodeFs(path)
            .stat(join(path, entry.name))
            .catch(() => entry)
        : entry
      return { name: entry.name, isFolder: target.isDirectory() }
    })
    return (await Promise.all(named)).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (cause) {
    throw new DataNotFoundError(
      `${path} cannot be read: ${reasonOf(cause)}; ${directory} must have a folder for each class`,
      { cause },
    )
  }
}

function join(...parts: string[]): string {
  return process.getBuiltinModule('node:path').join(...parts)
}
