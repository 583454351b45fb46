import type { LossFunction, Optimizer, PlateauSchedule, Schedule, Trainable } from '@rowwise/train-loop'
import * as trainLoop from '@rowwise/train-loop'
import { UsageError } from '../exit'
import type { RunSettings } from './settings'

const { crossEntropy, mseLoss, l1Loss, smoothL1Loss, huberLoss } = trainLoop
const LOSSES = { crossEntropy, mseLoss, l1Loss, smoothL1Loss, huberLoss }

/** The loss of a task, and whether it is one of classes. */
export function lossOf({ loss, csv }: Pick<RunSettings, 'loss' | 'csv'>): LossFunction {
  const ofNumbers = csv !== undefined
  const name = loss ?? (ofNumbers ? 'mseLoss' : 'crossEntropy')
  if ((name === 'crossEntropy') !== ofNumbers) return LOSSES[name]
  const task = ofNumbers ? 'a time series forecasts numbers' : 'images have classes'
  const fix = ofNumbers ? 'choose mseLoss, l1Loss, smoothL1Loss or huberLoss' : 'choose crossEntropy'
  throw new UsageError(`--loss is ${name}, but ${task}; ${fix}, or leave it out`)
}

/** The optimizer of a run. */
export function optimizerOf(model: Trainable, { optimizer, lr, momentum, weightDecay }: RunSettings): Optimizer {
  const decay = weightDecay === undefined ? {} : { weightDecay }
  const moving = momentum === undefined ? {} : { momentum }
  switch (optimizer) {
    case 'SGD':
      return new trainLoop.SGD(model, { lr, ...decay, ...moving })
    case 'RMSprop':
      return new trainLoop.RMSprop(model, { lr, ...decay, ...moving })
    case 'AdamW':
      return new trainLoop.AdamW(model, { lr, ...decay })
    case 'Adam':
      return new trainLoop.Adam(model, { lr, ...decay })
  }
}

type MakeSchedule = (options: object) => Schedule | PlateauSchedule

/** The schedule of a run, as `name:option=value,…`; what it wants to know of the run, it is told. */
export function scheduleOf(
  { schedule, scheduleEpochs: epochs, lr }: RunSettings,
  stepsPerEpoch: number,
): Schedule | PlateauSchedule | undefined {
  if (schedule === undefined) return undefined
  const known: Record<string, [MakeSchedule, object]> = {
    stepLR: [trainLoop.stepLR as MakeSchedule, {}],
    multiStepLR: [trainLoop.multiStepLR as MakeSchedule, {}],
    exponentialLR: [trainLoop.exponentialLR as MakeSchedule, {}],
    linearLR: [trainLoop.linearLR as MakeSchedule, {}],
    polynomialLR: [trainLoop.polynomialLR as MakeSchedule, { totalIters: epochs }],
    cosineAnnealingLR: [trainLoop.cosineAnnealingLR as MakeSchedule, { tMax: epochs }],
    cosineAnnealingWarmRestarts: [trainLoop.cosineAnnealingWarmRestarts as MakeSchedule, {}],
    oneCycleLR: [trainLoop.oneCycleLR as MakeSchedule, { maxLr: lr, totalSteps: epochs * stepsPerEpoch }],
    reduceLROnPlateau: [trainLoop.reduceLROnPlateau as MakeSchedule, {}],
  }
  const [name, ...rest] = schedule.split(':')
  if (!Object.hasOwn(known, name)) {
    throw new UsageError(`--schedule is ${name}, expected one of ${Object.keys(known).join(', ')}`)
  }
  const [make, usual] = known[name]
  return make({ ...usual, ...optionsOf('--schedule', rest.join(':')) })
}

/** `a=1,b=2/3` as { a: 1, b: [2, 3] }. */
export function optionsOf(option: string, text: string): Record<string, unknown> {
  if (text === '') return {}
  const entries = text.split(',').map((entry): [string, unknown] => {
    const [name, value, ...more] = entry.split('=')
    if (value === undefined || value === '' || more.length > 0) {
      throw new UsageError(`${option}: '${entry}' is not a setting; write it as name=value, such as gamma=0.5`)
    }
    const values = value.split('/').map((part) => (Number.isNaN(Number(part)) ? part : Number(part)))
    return [name, values.length > 1 || name === 'milestones' ? values : values[0]]
  })
  const twice = entries.find(([name], at) => entries.findIndex((other) => other[0] === name) < at)
  if (twice) throw new UsageError(`${option}: ${twice[0]} is there twice; leave one out`)
  return Object.fromEntries(entries)
}
