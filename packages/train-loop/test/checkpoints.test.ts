import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Adam,
  AdamW,
  type CheckpointOptions,
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
} from '../src'
import { everyStep, manifestOf, run, stopAfter, temporaryDirectory } from './checkpoint-runs'
import { dieAtFileOperation, orphanLocks } from './die-at-file-operation'
import { ShuffledSource } from './shuffled-source'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

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
