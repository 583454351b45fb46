import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Adam, type CheckpointOptions, crossEntropy, fit, loadCheckpoint, type Resumed } from '../src'
import { code, everyStep, manifestOf, run, stopAfter, temporaryDirectory } from './checkpoint-runs'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('fit({ checkpoint }) refuses', () => {
  it('a directory that holds a run, unless that is resumed', async () => {
    const directory = temporaryDirectory()
    await run({ checkpoint: directory, epochs: 1 })
    await expect(run({ checkpoint: directory })).rejects.toThrow(/already holds a run: .* step 4 .*resume: true/)
  })

  it('resume without checkpoint', async () => {
    await expect(run({ resume: true })).rejects.toThrow(code('TRAIN_OPTION'))
  })

  it('a run with other settings, naming both values of each', async () => {
    const directory = temporaryDirectory()
    const config = { batchSize: 64, model: { hiddenSize: 64 }, seed: '0' }
    await run({ checkpoint: { directory, config }, epochs: 1 })
    const other = { batchSize: 32, model: { hiddenSize: 8 }, seed: '0' }
    const resumed = run({ checkpoint: { directory, config: other }, resume: true })
    await expect(resumed).rejects.toThrow(code('CHECKPOINT_MISMATCH'))
    await expect(resumed).rejects.toThrow(/batchSize was 64, is now 32; model.hiddenSize was 64, is now 8;/)
  })

  it('a model of another shape, naming both shapes', async () => {
    const directory = temporaryDirectory()
    await run({ checkpoint: directory, epochs: 1 })
    const model = new SoftmaxRegression()
    const wide = Object.assign(model, { weight: tf.variable(tf.zeros([2, 5])) })
    const optimizer = new Adam(wide.parameters())
    const resumed = fit(wide, { optimizer, train: batches(), checkpoint: directory, resume: true })
    await expect(resumed).rejects.toThrow(/weight was \[2,3\], is now \[2,5\]/)
  })

  it.each([{ everySeconds: 0 }, { everySteps: 1.5 }, { keep: 0 }, { config: { a: 1n } }])('%o', async (options) => {
    const checkpoint = { directory: temporaryDirectory(), ...options } as CheckpointOptions
    await expect(run({ checkpoint })).rejects.toThrow(code('TRAIN_OPTION'))
  })
})

describe('a checkpoint that was altered', () => {
  const saved = async () => {
    const directory = temporaryDirectory()
    await run({ checkpoint: everyStep(directory), ...stopAfter(3) })
    const [older, newer] = manifestOf(directory).checkpoints
    return { directory, older, newer }
  }

  it('is passed over for the one before, with the reason, and the run ends the same', async () => {
    const whole = await run()
    const { directory, newer } = await saved()
    truncateSync(join(directory, newer.training.name), 100)
    const events: (Resumed | undefined)[] = []
    const callbacks = [{ onFitBegin: ({ resumed }: { resumed?: Resumed }) => void events.push(resumed) }]
    const { weights } = await run({ checkpoint: directory, resume: true, callbacks })
    expect(weights).toEqual(whole.weights)
    expect(events).toMatchObject([{ step: 2, skipped: [expect.stringMatching(/step 3: .* has 100 bytes/)] }])
  })

  it('is found by one flipped bit anywhere', async () => {
    const { directory, older, newer } = await saved()
    const files = [older.weights, older.training, newer.weights, newer.training].map(({ name }) =>
      join(directory, name),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.nat(), fc.nat(7), async (which, at, bit) => {
        const original = readFileSync(files[which])
        const bytes = Uint8Array.from(original)
        bytes[at % bytes.length] ^= 1 << bit
        writeFileSync(files[which], bytes)
        const { step } = await loadCheckpoint(directory)
        writeFileSync(files[which], original)
        expect(step).toBe(which < 2 ? 3 : 2)
      }),
    )
  })

  it('is refused when none is whole, saying why for each', async () => {
    const { directory, older, newer } = await saved()
    rmSync(join(directory, older.weights.name))
    writeFileSync(join(directory, newer.weights.name), '')
    const resumed = run({ checkpoint: directory, resume: true })
    await expect(resumed).rejects.toThrow(code('CHECKPOINT_READ'))
    await expect(resumed).rejects.toThrow(/step 3: .* has 0 bytes.*; .*step 2: there is no such file/)
  })

  it('is not read through a link, nor from outside of the directory', async () => {
    const { directory, older, newer } = await saved()
    const elsewhere = join(directory, '..', 'elsewhere')
    renameSync(join(directory, newer.weights.name), elsewhere)
    symlinkSync(elsewhere, join(directory, newer.weights.name))
    expect((await loadCheckpoint(directory)).skipped).toEqual([expect.stringMatching(/is not a regular file/)])
    const manifest = manifestOf(directory)
    manifest.checkpoints = [{ ...older, weights: { ...older.weights, name: '../elsewhere' } }]
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest))
    await expect(loadCheckpoint(directory)).rejects.toThrow(/checkpoint 0 is malformed/)
  })

  it.each([
    ['', /is no JSON object/],
    ['[]', /is no JSON object/],
    ['{"format":"zip"}', /format is "zip"/],
    ['{"format":"rowwise-checkpoints","version":1}', /version is 1, this program reads 2/],
    ['{"format":"rowwise-checkpoints","version":2}', /no config or no list/],
    ['{"format":"rowwise-checkpoints","version":2,"config":{},"checkpoints":[null]}', /checkpoint 0 is malformed/],
    [' '.repeat(2 ** 20 + 1), /expected at most 1048576/],
  ])('is refused by its manifest %#', async (text, message) => {
    const directory = temporaryDirectory()
    mkdirSync(directory)
    writeFileSync(join(directory, 'manifest.json'), text)
    await expect(run({ checkpoint: directory, resume: true })).rejects.toThrow(message)
    await expect(run({ checkpoint: directory, resume: true })).rejects.toThrow(code('CHECKPOINT_READ'))
  })
})

describe('a checkpoint directory', () => {
  it('is kept to one run: a second is refused and changes nothing, the first goes on', async () => {
    const whole = await run()
    const directory = temporaryDirectory()
    let refused: unknown
    const second = {
      async onEpochEnd({ epoch }: { epoch: number }) {
        if (epoch === 1) refused = await run({ checkpoint: directory, resume: true }).catch((error) => error)
      },
    }
    const first = await run({ checkpoint: everyStep(directory), callbacks: [second] })
    expect(refused).toMatchObject({ code: 'DIRECTORY_IN_USE', message: expect.stringContaining(`${process.pid}`) })
    expect(first.weights).toEqual(whole.weights)
  })

  it('is free again after a run that failed', async () => {
    const directory = temporaryDirectory()
    const failing = {
      onBatchEnd() {
        throw new Error('mine')
      },
    }
    await expect(run({ checkpoint: directory, callbacks: [failing] })).rejects.toThrow('mine')
    expect((await run({ checkpoint: directory, resume: true })).ended).toBe('completed')
  })

  it('in which nothing can be saved is refused before the first step, with the reason', async () => {
    const file = temporaryDirectory()
    writeFileSync(file, '')
    let steps = 0
    const counting = { onBatchEnd: () => void ++steps }
    for (const directory of [file, join(file, 'below')]) {
      const training = run({ checkpoint: directory, callbacks: [counting] })
      await expect(training).rejects.toThrow(code('CHECKPOINT_WRITE'))
      await expect(training).rejects.toThrow(/cannot be saved there: a file is where a directory should be/)
    }
    expect(steps).toBe(0)
  })

  it('that another run took over while this one was suspended gets nothing more of it', async () => {
    const directory = temporaryDirectory()
    const takingOver = {
      onEpochEnd() {
        for (const name of readdirSync(directory).filter((name) => name.startsWith('lock-')))
          rmSync(join(directory, name))
      },
    }
    await expect(run({ checkpoint: directory, callbacks: [takingOver] })).rejects.toThrow(/was taken over by another/)
  })

  it('without a name is refused', async () => {
    await expect(run({ checkpoint: '' })).rejects.toThrow('checkpoint.directory is ""')
  })
})

describe('the last good checkpoint stays', () => {
  it('when the loss becomes NaN, which is said with step, lr and gradient norm', async () => {
    const directory = temporaryDirectory()
    let step = 0
    const loss = (outputs: tf.Tensor, targets: tf.Tensor) =>
      tf.mul(crossEntropy(outputs, targets), ++step === 2 ? Number.NaN : 1)
    const training = run({ loss, checkpoint: everyStep(directory) })
    await expect(training).rejects.toThrow(code('NOT_FINITE'))
    await expect(training).rejects.toThrow(
      /epoch 1: the loss is NaN at step 2 of the epoch \(lr 0.1, gradient norm NaN\).*last good one is at step 1/,
    )
    expect((await loadCheckpoint(directory)).step).toBe(1)
  })

  it('when a weight becomes infinite', async () => {
    const directory = temporaryDirectory()
    const model = new SoftmaxRegression()
    const optimizer = new Adam(model.parameters(), { lr: 0.1 })
    const spoil = {
      onBatchEnd: ({ batch }: { batch: number }) =>
        void (batch === 2 && model.weight.assign(tf.fill([2, 3], Infinity))),
    }
    const training = fit(model, {
      optimizer,
      train: batches(),
      epochs: 1,
      checkpoint: everyStep(directory),
      callbacks: [spoil],
    })
    await expect(training).rejects.toThrow(/weight has a weight that is NaN or infinite after step 2/)
    expect((await loadCheckpoint(directory)).step).toBe(1)
  })

  it('when a callback throws', async () => {
    const whole = await run()
    const directory = temporaryDirectory()
    const throwing = {
      onBatchEnd({ epoch, batch }: { epoch: number; batch: number }) {
        if (epoch === 2 && batch === 2) throw new Error('mine')
      },
    }
    await expect(run({ checkpoint: everyStep(directory), callbacks: [throwing] })).rejects.toThrow('mine')
    expect((await run({ checkpoint: directory, resume: true })).weights).toEqual(whole.weights)
  })

  it('when the next one cannot be written, which is said', async () => {
    const whole = await run()
    const directory = temporaryDirectory()
    await run({ checkpoint: everyStep(directory), ...stopAfter(2) })
    mkdirSync(join(directory, '000004-training.safetensors/in-the-way'), { recursive: true })
    const resumed = run({ checkpoint: everyStep(directory), resume: true })
    await expect(resumed).rejects.toThrow(code('CHECKPOINT_WRITE'))
    await expect(resumed).rejects.toThrow(/step 3 could not be written: .*last good one is at step 2/)
    expect(existsSync(join(directory, '000004-weights.safetensors'))).toBe(false)
    rmSync(join(directory, '000004-training.safetensors'), { recursive: true })
    expect((await run({ checkpoint: directory, resume: true })).weights).toEqual(whole.weights)
  })
})
