import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Adam,
  AdamW,
  accuracy,
  type CheckpointOptions,
  crossEntropy,
  type EpochEnd,
  earlyStopping,
  type FitOptions,
  fit,
  loadCheckpoint,
  type Optimizer,
  oneCycleLR,
  type Resumed,
  RMSprop,
  reduceLROnPlateau,
  SGD,
  stepLR,
} from '../src'
import { dieAtFileOperation, orphanLocks } from './die-at-file-operation'
import { ShuffledSource } from './shuffled-source'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const temporaryDirectory = () => join(mkdtempSync(join(tmpdir(), 'rowwise-checkpoints-')), 'run')
const code = (code: string) => expect.objectContaining({ code })

/** A run of 3 epochs of 4 steps; everything about it is made anew, as in a new process. */
async function run(options: Partial<FitOptions> = {}) {
  const model = new SoftmaxRegression()
  const optimizer = new Adam(model.parameters(), { lr: 0.1 })
  const result = await fit(model, {
    optimizer,
    train: new ShuffledSource(),
    validation: batches(),
    metrics: { accuracy: accuracy() },
    epochs: 3,
    schedule: stepLR({ stepSize: 1, gamma: 0.5 }),
    ...options,
  })
  const history = result.history.map(({ seconds: _, dataSeconds: __, ...rest }) => rest)
  return { ...result, history, weights: [...model.weight.dataSync()], optimizer: await optimizer.stateDict() }
}

/** Stops a run after so many steps. */
function stopAfter(steps: number): Pick<FitOptions, 'signal' | 'callbacks'> {
  const controller = new AbortController()
  let taken = 0
  return {
    signal: controller.signal,
    callbacks: [{ onBatchEnd: () => void (++taken === steps && controller.abort()) }],
  }
}

const everyStep = (directory: string): CheckpointOptions => ({ directory, everySteps: 1 })
const manifestOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'))

describe('fit({ checkpoint, resume })', () => {
  it('goes on bit for bit wherever it was stopped', async () => {
    const whole = await run()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }), async (stops) => {
        const directory = temporaryDirectory()
        for (const steps of stops) await run({ checkpoint: directory, resume: true, ...stopAfter(steps) })
        const resumed = await run({ checkpoint: directory, resume: true })
        expect(resumed.weights).toEqual(whole.weights)
        expect(resumed.optimizer).toEqual(whole.optimizer)
        expect(resumed.history).toEqual(whole.history)
      }),
      { numRuns: 25 },
    )
  })

  it('goes on bit for bit from a death at any file operation of a save, and removes what that left', async () => {
    const whole = await run({ epochs: 1 })
    let operation = 0
    for (let died = true; died; operation++) {
      const directory = temporaryDirectory()
      died = await dieAtFileOperation(operation, () => run({ epochs: 1, checkpoint: everyStep(directory) }))
      orphanLocks(directory)
      const resumed = await run({ epochs: 1, checkpoint: everyStep(directory), resume: true })
      expect(resumed.weights).toEqual(whole.weights)
      const listed = manifestOf(directory).checkpoints.flatMap(
        (entry: Record<'weights' | 'training', { name: string }>) => [entry.weights.name, entry.training.name],
      )
      const left = readdirSync(directory).filter((name) => !name.endsWith('.tmp')) // this process lives on, so they count as its own
      expect(left.sort()).toEqual([...listed, 'manifest.json'].sort())
    }
    expect(operation).toBeGreaterThan(100) // some thirty a save
  })

  it('never loses the newest complete checkpoint to a death in the next save', async () => {
    let operation = 0
    for (let died = true; died; operation++) {
      const directory = temporaryDirectory()
      await run({ checkpoint: everyStep(directory), ...stopAfter(2) })
      died = await dieAtFileOperation(operation, () =>
        run({ checkpoint: everyStep(directory), resume: true, ...stopAfter(1) }),
      )
      expect((await loadCheckpoint(directory)).step).toBeGreaterThanOrEqual(died ? 2 : 3)
    }
    expect(operation).toBeGreaterThan(10)
  })

  it('skips the batches that were done, of a source without a state', async () => {
    const whole = await run({ train: batches() })
    const directory = temporaryDirectory()
    await run({ train: batches(), checkpoint: directory, ...stopAfter(3) })
    expect((await run({ train: batches(), checkpoint: directory, resume: true })).weights).toEqual(whole.weights)
  })

  it('repeats an evaluation that was cut short, and no step', async () => {
    const whole = await run()
    const directory = temporaryDirectory()
    const controller = new AbortController()
    function* interrupted() {
      controller.abort()
      yield* batches()
    }
    await run({ checkpoint: directory, validation: { [Symbol.iterator]: interrupted }, signal: controller.signal })
    const resumed = await run({ checkpoint: directory, resume: true })
    expect([resumed.weights, resumed.history]).toEqual([whole.weights, whole.history])
  })

  it('starts from the beginning when there is nothing to resume', async () => {
    expect((await run({ checkpoint: temporaryDirectory(), resume: true })).weights).toEqual((await run()).weights)
  })

  it('does nothing more when the run is complete, and goes on when more epochs are asked for', async () => {
    const directory = temporaryDirectory()
    const first = await run({ checkpoint: directory, epochs: 2 })
    const again = await run({ checkpoint: directory, epochs: 2, resume: true })
    expect([again.weights, again.history, again.ended]).toEqual([first.weights, first.history, 'completed'])
    expect((await run({ checkpoint: directory, epochs: 3, resume: true })).weights).toEqual((await run()).weights)
  })

  it('tells the callbacks where it goes on, and early stopping remembers', async () => {
    const directory = temporaryDirectory()
    await run({ checkpoint: directory, ...stopAfter(6) })
    const events: (Resumed | undefined)[] = []
    const patient = earlyStopping({ monitor: 'accuracy', patience: 1, minDelta: 2 })
    const { history } = await run({
      checkpoint: directory,
      resume: true,
      callbacks: [{ onFitBegin: ({ resumed }) => void events.push(resumed) }, patient],
    })
    const computedBy = { before: 'cpu', now: 'cpu' }
    expect(events).toEqual([{ directory, step: 6, epoch: 2, batch: 2, computedBy, skipped: [] }])
    expect(history).toHaveLength(2) // the first epoch, from before, is the best; one without improvement is one too many
  })

  it('saves what generators it is given', async () => {
    const generator = (bytes: number[]) => {
      let state = Uint8Array.from(bytes)
      const setState = (next: Uint8Array) => {
        state = Uint8Array.from(next)
      }
      return { state: () => state, setState }
    }
    const directory = temporaryDirectory()
    await run({ checkpoint: { directory, generators: { noise: generator([1, 2]) } } })
    const fresh = generator([9])
    await run({ checkpoint: { directory, generators: { noise: fresh } }, resume: true })
    expect([...fresh.state()]).toEqual([1, 2])
  })

  it('saves at the start and the end alone when it is told to, and between epochs when it is stopped there', async () => {
    const seldom = () => ({ directory: temporaryDirectory(), everyEpoch: false, everySeconds: 1000, keep: 10 })
    const stepsOf = ({ directory }: CheckpointOptions) => {
      const { checkpoints } = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'))
      return checkpoints.map(({ step }: { step: number }) => step)
    }
    const whole = seldom()
    const { weights } = await run({ checkpoint: whole })
    expect(stepsOf(whole)).toEqual([0, 12])
    const [stopped, controller] = [seldom(), new AbortController()]
    const onEpochEnd = ({ epoch }: EpochEnd) => void (epoch === 2 && controller.abort())
    await run({ checkpoint: stopped, signal: controller.signal, callbacks: [{ onEpochEnd }] })
    expect(stepsOf(stopped)).toEqual([0, 8])
    expect((await run({ checkpoint: stopped, resume: true })).weights).toEqual(weights)
  })

  it('keeps the newest two and the best', async () => {
    const directory = temporaryDirectory()
    const losses = [0.3, 0.1, 0.5, 0.4, 0.6]
    await run({
      checkpoint: directory,
      epochs: 5,
      validation: undefined,
      callbacks: [{ onEpochEnd: (event) => void Object.assign(event, { trainLoss: losses[event.epoch - 1] }) }],
    })
    expect(manifestOf(directory).checkpoints.map(({ score }: { score: number }) => score)).toEqual([0.1, 0.4, 0.6])
    expect(readdirSync(directory)).toHaveLength(7)
    expect(await loadCheckpoint(directory, 'best')).toMatchObject({ step: 8, epoch: 3, batch: 0 })
  })

  it('keeps the best by the metric that it is told to', async () => {
    const directory = temporaryDirectory()
    const found = [0.3, 0.9, 0.5, 0.9]
    const checkpoint = { directory, monitor: 'accuracy', keep: 1 }
    const callbacks = [
      {
        onEpochEnd({ epoch, validation }: EpochEnd) {
          Object.assign(validation?.metrics ?? {}, { accuracy: found[epoch - 1] })
        },
      },
    ]
    await run({ checkpoint, epochs: 4, callbacks })
    expect(manifestOf(directory).checkpoints.map(({ score }: { score: number }) => score)).toEqual([-0.9, -0.9])
    expect(await loadCheckpoint(directory, 'best')).toMatchObject({ step: 8 })
  })

  it('goes on with a schedule that follows a metric as if it had never stopped', async () => {
    const plateau = () => reduceLROnPlateau({ patience: 0, threshold: 10, factor: 0.5 })
    const whole = await run({ schedule: plateau() })
    const directory = temporaryDirectory()
    await run({ checkpoint: directory, schedule: plateau(), ...stopAfter(9) })
    const resumed = await run({ checkpoint: directory, resume: true, schedule: plateau() })
    expect([resumed.weights, resumed.history]).toEqual([whole.weights, whole.history])
    expect(whole.history.map(({ lr }) => lr)).toEqual([0.1, 0.1, 0.05])
  })

  it.each<[string, (model: SoftmaxRegression) => Optimizer]>([
    ['SGD', (model) => new SGD(model, { lr: 0.1, momentum: 0.9, nesterov: true })],
    ['AdamW', (model) => new AdamW(model, { lr: 0.1, amsgrad: true })],
    ['RMSprop', (model) => new RMSprop(model, { lr: 0.1, momentum: 0.5, centered: true })],
  ])('goes on bit for bit with %s and a schedule by steps', async (_, make) => {
    const options = (model: SoftmaxRegression) => ({
      optimizer: make(model),
      schedule: oneCycleLR({ maxLr: 0.1, totalSteps: 12 }),
    })
    const trainedBy = async (more: Partial<FitOptions>[]) => {
      let weights: number[] = []
      for (const changes of more) {
        const model = new SoftmaxRegression()
        await fit(model, { ...options(model), train: new ShuffledSource(), epochs: 3, ...changes })
        weights = [...model.weight.dataSync()]
      }
      return weights
    }
    const directory = temporaryDirectory()
    const resumed = { checkpoint: directory, resume: true }
    const whole = await trainedBy([{}])
    expect(await trainedBy([{ ...resumed, ...stopAfter(5) }, { ...resumed, ...stopAfter(2) }, resumed])).toEqual(whole)
  })

  it('leaves no tensor behind when it resumes', async () => {
    const directory = temporaryDirectory()
    const data = batches()
    const model = new SoftmaxRegression()
    const optimizer = new Adam(model.parameters(), { lr: 0.1 })
    await fit(model, { optimizer, train: data, validation: data, epochs: 1, checkpoint: directory })
    const before = tf.memory().numTensors
    await fit(model, { optimizer, train: data, validation: data, epochs: 2, checkpoint: directory, resume: true })
    expect(tf.memory().numTensors).toBe(before)
  })
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
