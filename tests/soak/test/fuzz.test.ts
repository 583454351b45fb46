import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DataLoader, imageDataset, parseIdx } from '@rowwise/data-mnist'
import { isRowwiseError } from '@rowwise/errors'
import { decodeSafetensors, LSTMNet, save } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, fit } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import { setBackend } from '@tensorflow/tfjs-core'
import { PNG } from 'pngjs'
import { beforeAll, expect, it } from 'vitest'
import { readPicture } from '../../../apps/cli/src/picture/read-picture'
import { gunzip, gunzipHead } from '../../../packages/data-mnist/src/gzip'
import { idx } from '../../../packages/data-mnist/test/idx-files'
import { mutate } from './mutate'
import { isSoak, type Random, randomFor, report, seed, TIMEOUT, temporaryDirectory } from './soak'

const MILLISECONDS = isSoak ? 60_000 : 800

beforeAll(async () => {
  await setBackend('cpu')
})

/** Feeds damaged input until the time is over; every answer must be a value or a typed error. */
async function fuzz(name: string, test: number, read: (random: Random) => unknown): Promise<void> {
  const random = randomFor(test)
  const end = performance.now() + MILLISECONDS
  let [cases, accepted, slowest] = [0, 0, 0]
  for (; performance.now() < end; cases++) {
    const began = performance.now()
    try {
      await read(random)
      accepted += 1
    } catch (error) {
      if (!isRowwiseError(error)) throw new Error(`${name}, seed ${seed}, case ${cases}: ${(error as Error).stack}`)
    }
    slowest = Math.max(slowest, performance.now() - began)
  }
  expect(cases).toBeGreaterThan(accepted)
  expect(Object.keys(Object.prototype)).toEqual([])
  report(
    `${name}: ${cases} damaged inputs in ${Math.round(MILLISECONDS / 1000)} s, ${accepted} still valid, the others refused by a typed error; slowest ${Math.round(slowest)} ms`,
  )
}

it('the IDX reader meets damaged files with typed errors', { timeout: TIMEOUT }, async () => {
  const images = idx([3, 4, 5], new Uint8Array(60).fill(7))
  await fuzz('IDX', 3, (random) => parseIdx(mutate(images, random), 3))
})

it('the gzip reader meets damaged files with typed errors', { timeout: TIMEOUT }, async () => {
  const packed = gzipSync(
    idx(
      [50, 4, 5],
      Array.from({ length: 1000 }, (_, index) => index % 251),
    ),
  )
  await fuzz('gzip', 4, (random) => {
    const damaged = mutate(packed, random)
    gunzipHead(damaged, 16)
    gunzip(damaged, 1016)
  })
})

it('the safetensors reader meets damaged files with typed errors', { timeout: TIMEOUT }, async () => {
  const file = await save(new LSTMNet({ inputSize: 3, hiddenSize: 2, numClasses: 2 }))
  await fuzz('safetensors', 5, (random) => {
    const damaged = mutate(file, random)
    decodeSafetensors(damaged)
    LSTMNet.fromSafetensors(damaged).dispose()
  })
})

it('the PNG reader meets damaged files with typed errors', { timeout: TIMEOUT }, async () => {
  const png = new PNG({ width: 9, height: 9 })
  png.data.fill(200)
  const file = PNG.sync.write(png)
  const path = join(temporaryDirectory(), 'damaged.png')
  await fuzz('PNG', 6, async (random) => {
    writeFileSync(path, mutate(file, random))
    await readPicture(path)
  })
})

it('the checkpoint reader meets damaged directories with typed errors, also where the SHA-256 was made to fit', {
  timeout: TIMEOUT,
}, async () => {
  const [original, damaged] = [join(temporaryDirectory(), 'run'), join(temporaryDirectory(), 'run')]
  await train(original, 1)
  const manifestText = readFileSync(join(original, 'manifest.json'), 'utf8')
  const [{ weights, training }] = JSON.parse(manifestText).checkpoints.slice(-1)
  cpSync(original, damaged, { recursive: true })
  await fuzz('checkpoint', 7, async (random) => {
    const name: string = random.pick([weights.name, training.name, training.name, 'manifest.json'])
    const bytes = mutate(readFileSync(join(original, name)), random)
    writeFileSync(join(damaged, name), bytes)
    if (name !== 'manifest.json' && random.below(4) > 0) {
      const entry = name === weights.name ? weights : training
      const digest = createHash('sha256').update(bytes).digest('hex')
      const fitted = manifestText
        .replace(entry.sha256, digest)
        .replace(`"bytes": ${entry.bytes}`, `"bytes": ${bytes.length}`)
      writeFileSync(join(damaged, 'manifest.json'), fitted)
    }
    try {
      await train(damaged, 2)
    } finally {
      cpSync(original, damaged, { recursive: true })
    }
  })
})

/** Three images of 2 × 3 pixels, one a step. */
const dataset = imageDataset({
  name: 'tiny',
  height: 2,
  width: 3,
  images: Uint8Array.from({ length: 18 }, (_, index) => 10 * index),
  labels: Uint8Array.of(0, 1, 1),
  classNames: ['a', 'b'],
})

async function train(checkpoint: string, epochs: number): Promise<void> {
  const generator = new Generator(0)
  const model = new LSTMNet({ inputSize: 3, hiddenSize: 2, numClasses: 2, generator })
  const loader = new DataLoader(dataset, { batchSize: 1, shuffle: true, generator })
  const optimizer = new Adam(model.parameters())
  try {
    await fit(model, { optimizer, train: loader, epochs, checkpoint: { directory: checkpoint, keep: 1 }, resume: true })
  } finally {
    model.dispose()
  }
}
