import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import {
  accuracy,
  type Callbacks,
  cosineAnnealingLR,
  type EpochEnd,
  earlyStopping,
  fit,
  type Monitors,
  oneCycleLR,
  reduceLROnPlateau,
  stepLR,
} from '@rowwise/train-loop'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { setUp } from './set-up'
import { batches } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('fit', () => {
  it('trains and evaluates every epoch and tells the callbacks in order', async () => {
    const { model, optimizer } = setUp()
    const told: string[] = []
    const callbacks: Callbacks = {
      onFitBegin: ({ epochs }) => void told.push(`fit ${epochs}`),
      onEpochBegin: ({ epoch }) => void told.push(`epoch ${epoch}`),
      onBatchBegin: ({ epoch, batch }) => void told.push(`step ${epoch}.${batch}`),
      onBatchEnd: ({ epoch, batch }) => void told.push(`batch ${epoch}.${batch}`),
      onEpochEnd: ({ epoch, validation }) => void told.push(`end ${epoch}: ${validation?.samples}`),
      onFitEnd: ({ history }) => void told.push(`fit end ${history.length}`),
    }
    const data = batches()
    const { history, ended, test } = await fit(model, {
      optimizer,
      train: data,
      validation: data,
      test: data,
      metrics: { accuracy: accuracy() },
      epochs: 2,
      callbacks: [callbacks],
    })
    expect(told).toEqual([
      ...['fit 2', 'epoch 1', 'step 1.1', 'batch 1.1', 'step 1.2', 'batch 1.2', 'end 1: 4'],
      ...['epoch 2', 'step 2.1', 'batch 2.1', 'step 2.2', 'batch 2.2', 'end 2: 4', 'fit end 2'],
    ])
    expect([ended, history[1].trainLoss < history[0].trainLoss]).toEqual(['completed', true])
    expect(test).toEqual(history[1].validation) // the same data and the same weights
  })

  it('sets the learning rate of every epoch by the schedule', async () => {
    const { model, optimizer } = setUp(1)
    const schedule = stepLR({ stepSize: 2, gamma: 0.5 })
    const { history } = await fit(model, { optimizer, train: batches(), epochs: 5, schedule })
    expect(history.map(({ lr }) => lr)).toEqual([1, 1, 0.5, 0.5, 0.25])
  })

  it('ends early when a callback says so', async () => {
    const { model, optimizer } = setUp()
    const callbacks = [{ onEpochEnd: (_: EpochEnd, control: { stop(): void }) => control.stop() }]
    const { history, ended } = await fit(model, { optimizer, train: batches(), epochs: 9, callbacks })
    expect([history.length, ended]).toEqual([1, 'stopped'])
  })

  it('ends without an entry for the epoch that a signal cut', async () => {
    const { model, optimizer } = setUp()
    const controller = new AbortController()
    const callbacks = [{ onBatchEnd: ({ epoch }: { epoch: number }) => void (epoch === 2 && controller.abort()) }]
    const { history, ended } = await fit(model, {
      optimizer,
      train: batches(),
      epochs: 9,
      callbacks,
      signal: controller.signal,
    })
    expect([history.length, ended, optimizer.steps]).toEqual([1, 'aborted', 3])
  })

  it('keeps the number of tensors flat over epochs, evaluation, saves and an exception in a callback', async () => {
    const { model, optimizer } = setUp()
    const data = batches()
    const counts: number[] = []
    const callbacks = [{ onEpochEnd: () => void counts.push(tf.memory().numTensors) }]
    const checkpoint = { directory: mkdtempSync(join(tmpdir(), 'rowwise-loop-')), everySteps: 1 }
    await fit(model, { optimizer, train: data, validation: data, epochs: 3, callbacks, checkpoint })
    const failing = fit(model, {
      optimizer,
      train: data,
      callbacks: [
        {
          onBatchEnd() {
            throw new Error('from the callback')
          },
        },
      ],
    })
    await expect(failing).rejects.toThrow('from the callback')
    expect([...counts, tf.memory().numTensors]).toEqual(Array(4).fill(counts[0]))
  })

  it.each([0, 1.5, Number.NaN])('refuses %s epochs', async (epochs) => {
    const { model, optimizer } = setUp()
    await expect(fit(model, { optimizer, train: [], epochs })).rejects.toThrow(/epochs is/)
  })
})

describe('earlyStopping', () => {
  const monitors = { trainLoss: 'lower', validationLoss: 'lower', accuracy: 'higher', odd: undefined } as const
  const epochEnd = (loss: number): EpochEnd => ({
    ...{ epoch: 1, epochs: 9, lr: 1, samples: 4, seconds: 1, dataSeconds: 0, trainLoss: loss },
    validation: { loss, samples: 4, metrics: { accuracy: -loss, odd: loss, matrix: [[1]] } },
  })
  const begin = (options: object, of: object = monitors) => {
    const callback = earlyStopping(options)
    callback.onFitBegin?.({ epochs: 9, history: [], monitors: of as Monitors }, { stop() {} })
    return callback
  }
  const epochsUntilStop = (options: object, losses: number[]) => {
    const callback = begin(options)
    const stop = vi.fn()
    return losses.findIndex((loss) => {
      callback.onEpochEnd?.(epochEnd(loss), { stop })
      return stop.mock.calls.length > 0
    })
  }

  it('waits for as many epochs without improvement as it has patience', () => {
    expect(epochsUntilStop({ patience: 2 }, [3, 2, 2.5, 2.4, 1])).toBe(3)
  })

  it('starts to count again after an improvement', () => {
    expect(epochsUntilStop({ patience: 2 }, [3, 3.1, 2, 2.1, 2.2])).toBe(4)
  })

  it('takes no smaller change than minDelta for an improvement', () => {
    expect(epochsUntilStop({ patience: 1, minDelta: 0.5 }, [3, 2.8])).toBe(1)
  })

  it('takes small steps for an improvement once they add up to more than minDelta', () => {
    expect(epochsUntilStop({ patience: 2, minDelta: 0.5 }, [3, 2.7, 2.4, 2.1, 1.8])).toBe(-1)
  })

  it.each<[object]>([[{ monitor: 'accuracy' }], [{ monitor: 'odd', better: 'lower' }], [{ monitor: 'trainLoss' }]])(
    'follows what it is told to, in the direction that is better: %j',
    (options) => {
      expect(epochsUntilStop({ ...options, patience: 1 }, [3, 2, 2.5])).toBe(2)
    },
  )

  it.each<[object, object, RegExp]>([
    [
      { monitor: 'f1' },
      monitors,
      /monitor is 'f1', but there is trainLoss, validationLoss, accuracy, odd; add it to metrics/,
    ],
    [{ monitor: 'accuracy' }, { trainLoss: 'lower' }, /there is trainLoss; pass validation, and the metric in metrics/],
    [{ monitor: 'odd' }, monitors, /odd does not say which is better; pass better/],
  ])('refuses %j before the first step, with %j', (options, of, message) => {
    expect(() => begin(options, of)).toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) }),
    )
  })

  it('refuses a patience of 0', () => {
    expect(() => earlyStopping({ patience: 0 })).toThrow(expect.objectContaining({ code: 'TRAIN_OPTION' }))
  })
})

describe('oneCycleLR', () => {
  it('begins at the top where it rises for one step', () => {
    const schedule = oneCycleLR({ maxLr: 0.1, totalSteps: 10, pctStart: 0.1 })
    expect([schedule(0, 1), schedule(9, 1) < 1e-6]).toEqual([0.1, true])
  })
})

describe('reduceLROnPlateau', () => {
  it.each([Number.POSITIVE_INFINITY, Number.NaN])('takes %d at first for no improvement, as PyTorch', (first) => {
    const plateau = reduceLROnPlateau({ patience: 2 })
    const rates = [first, 5, 4, 3, 2, 1, 0.5, 0.4].map((value) => plateau.observe(value, 'lower')(0.1))
    expect(rates).toEqual(new Array(8).fill(0.1))
  })
})

describe('cosineAnnealingLR', () => {
  it('falls from the initial rate over half of it to etaMin', () => {
    const schedule = cosineAnnealingLR({ tMax: 10, etaMin: 0.2 })
    expect(schedule(0, 1)).toBe(1)
    expect(schedule(5, 1)).toBeCloseTo(0.6, 12)
    expect(schedule(10, 1)).toBeCloseTo(0.2, 12)
  })
})
