import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'

const directory = temporaryDirectory()
const file = (name: string, content: string) => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), content)
  return join(directory, name)
}
const weights = join(directory, 'run/model.safetensors')
const fashion = join(directory, 'fashion/model.safetensors')
const own = join(directory, 'own')
const unequal = join(directory, 'unequal')

beforeAll(async () => {
  writeStripes(own, { side: 28 })
  writeStripes(unequal, { side: 4, testSide: 5 })
  await rowwise(['train', '--epochs', '1', '--samples', '64', '--out', join(directory, 'run')])
  // Fashion-MNIST's name with images of one's own: what counts is what the weights say of themselves.
  const stripes = join(directory, 'ten')
  writeStripes(stripes, { side: 28, classes: 10 })
  const asFashion = ['--data', stripes, '--variant', 'fashion-mnist']
  await rowwise(['train', '--epochs', '1', '--out', join(directory, 'fashion'), ...asFashion])
})

describe('a mistake gets one line that names it and the option, and exit code 2:', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'an unknown option',
      () => ['train', '--epoch', '3'],
      /^rowwise: unknown option '--epoch' \(did you mean --epochs\?\)$/,
    ],
    [
      'a misspelled option that is needed',
      () => ['test', '--wieghts', 'x'],
      /'--wieghts' \(did you mean --weights\?\)$/,
    ],
    ['an unknown command', () => ['trian'], /^rowwise: unknown command 'trian' \(did you mean train\?\)$/],
    ['an unknown command of data', () => ['data', 'verfy'], /unknown command 'verfy' \(did you mean verify\?\)$/],
    ['no command', () => [], /which command\?/],
    ['no weights', () => ['test'], /which weights\? pass a file as --weights/],
    ['a seed of 65 bits', () => ['train', '--seed', '18446744073709551616'], /Expected an integer of 64 bits/],
    ['no epochs', () => ['train', '--epochs', '0'], /--epochs <n>.*Expected an integer of at least 1/],
    ['a number with an exponent', () => ['train', '--batch-size', '1e9'], /--batch-size.*at least 1, in digits/],
    ['a learning rate that is no number', () => ['train', '--lr', 'fast'], /Expected a number over 0/],
    ['an unknown backend', () => ['backends', '--backend', 'tpu'], /Allowed choices are auto, cuda, wasm, cpu/],
    [
      'a batch too large to differentiate',
      () => ['train', '--batch-size', '60000'],
      /60000 images .* lower --batch-size to at most \d+/,
    ],
    ['layers too large to make', () => ['train', '--hidden-size', '100000'], /--hidden-size/],
    ['more samples than there are', () => ['train', '--samples', '60001'], /has 60000 training images/],
    [
      'dropout in one layer',
      () => ['train', '--dropout', '0.2'],
      /--dropout 0.2 acts between layers, and --num-layers is 1/,
    ],
    ['a mean without its deviation', () => ['train', '--mean', '0.5'], /--mean and --std belong together/],
    ['classes without names', () => ['train', '--class-names', 'cat,,dog'], /Expected different names with commas/],
    [
      'CUDA where there is none',
      () => ['train', '--backend', 'cuda'],
      /--backend cuda does not run here: .* leave out --backend/,
    ],
    [
      'a data directory that is not there',
      () => ['train', '--data', 'nodir'],
      /nodir cannot be read: there is no such .* as --data$/,
    ],
    [
      'a file as data directory',
      () => ['train', '--data', file('d', '')],
      /is a file; pass the directory .* as --data$/,
    ],
    [
      'a data directory without data',
      () => ['train', '--data', directory],
      /holds no train-images-idx3-ubyte .* as --data$/,
    ],
    [
      'test images of another size',
      () => ['train', '--data', unequal],
      /training images are 4 × 4 pixels, the test images 5 × 5/,
    ],
    [
      'fewer classes than labels',
      () => ['train', '--data', own, '--class-names', 'a,b'],
      /label 2 is 2, .*name every class with --class-names/,
    ],
    [
      'Fashion-MNIST without its files',
      () => ['test', '--weights', fashion, '--source', 'cache'],
      /holds no fashion-mnist.*leave out --source/,
    ],
    [
      'another data set than the weights’',
      () => ['test', '--weights', fashion, '--variant', 'mnist'],
      /trained on fashion-mnist.*pass --variant fashion-mnist$/,
    ],
    [
      'other classes than the weights’',
      () => ['test', '--weights', weights, '--data', own],
      /label 10 is 10, expected 0 to 9/,
    ],
    [
      'images of another width',
      () => ['test', '--weights', weights, '--data', narrow()],
      /4 pixels wide, .* rows of 28/,
    ],
    [
      'weights that are not there',
      () => ['test', '--weights', 'none.safetensors'],
      /none.safetensors cannot be read: there is no such file/,
    ],
    ['a directory as weights', () => ['test', '--weights', directory], /cannot be read: it is a directory/],
    ['weights that are no safetensors file', () => ['test', '--weights', file('a', 'hello, world')], /safetensors/],
    ['no image', () => ['predict', '--weights', weights], /needs one image/],
    ['an index past the end', () => ['predict', '--weights', weights, '--index', '10000'], /numbered 0 to 9999/],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await rowwise(args())
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr.trimEnd()).toMatch(message)
    expect(stderr).toMatch(/^rowwise: .*\n$/)
    expect(stderr).not.toMatch(/\berror:|\n {4}at /)
  })
})

function narrow(): string {
  const path = join(directory, 'narrow')
  writeStripes(path, { side: 4, classes: 10 })
  return path
}
