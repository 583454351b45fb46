import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'

const python = process.env.ROWWISE_TENSORBOARD_PYTHON || process.env.ROWWISE_PYTHON || 'python3'

/** Whether there is a Python with TensorBoard. */
function hasTensorBoard(): boolean {
  try {
    execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Reads event files as TensorBoard does, and prints what it found as JSON. */
const READER = `
import base64, json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'histograms': 0, 'images': 0, 'tensors': 0})
events.Reload()
tags = events.Tags()
def data(tag):
    content = events.SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)
print(json.dumps({
    'scalars': {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags['scalars']},
    'histograms': {tag: [[e.step, h.min, h.max, h.num, h.sum, sum(h.bucket)] for e in events.Histograms(tag) for h in [e.histogram_value]] for tag in tags['histograms']},
    'images': {tag: [[e.step, e.width, e.height, base64.b64encode(e.encoded_image_string).decode()] for e in events.Images(tag)] for tag in tags['images']},
    'hparams': {k: v.number_value or v.string_value for k, v in data('_hparams_/session_start_info').session_start_info.hparams.items()},
    'compared': [m.name.tag for m in data('_hparams_/experiment').experiment.metric_infos],
    'status': data('_hparams_/session_end_info').session_end_info.status,
}))
`

interface Found {
  scalars: Record<string, [step: number, value: number][]>
  histograms: Record<string, number[][]>
  images: Record<string, [step: number, width: number, height: number, png: string][]>
  hparams: Record<string, number | string>
  compared: string[]
  status: number
}

describe.skipIf(!hasTensorBoard())('rowwise train --tensorboard, read by TensorBoard itself', () => {
  const out = join(temporaryDirectory(), 'run')
  let found: Found
  let metrics: { type: string; loss: number; trainLoss: number; validation: { correct: number; total: number } }[]

  beforeAll(async () => {
    const settings = ['--samples', '1280', '--epochs', '3', '--validation', '0.5', '--optimizer', 'SGD', '--lr', '0.1']
    const { exitCode, stderr } = await rowwise(['train', ...settings, '--tensorboard', '--out', out])
    expect([exitCode, stderr]).toEqual([0, ''])
    const { stdout } = await promisify(execFile)(python, ['-c', READER, join(out, 'tensorboard')])
    found = JSON.parse(stdout.trim().split('\n').at(-1) as string)
    metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }, 120_000)

  it('has the loss of every step, and the numbers of every epoch', () => {
    const losses = metrics.filter(({ type }) => type === 'step').map(({ loss }, at) => [at + 1, Math.fround(loss)])
    expect(found.scalars['step/loss']).toEqual(losses)
    const epochs = metrics.filter(({ type }) => type === 'epoch')
    expect(found.scalars['epoch/trainLoss']).toEqual(
      epochs.map(({ trainLoss }, at) => [10 * (at + 1), Math.fround(trainLoss)]),
    )
    expect(found.scalars['epoch/lr'].map(([, lr]) => lr)).toEqual(Array(3).fill(Math.fround(0.1)))
    const accuracies = epochs.map(({ validation: { correct, total } }) => Math.fround(correct / total))
    expect(found.scalars['validation/accuracy'].map(([, accuracy]) => accuracy)).toEqual(accuracies)
    expect(found.scalars['test/accuracy']).toHaveLength(1)
  })

  it('has histograms of weights and gradients', () => {
    const names = Object.keys(found.histograms)
    expect(names.filter((name) => name.startsWith('weights/'))).toHaveLength(6)
    expect(names.filter((name) => name.startsWith('gradients/'))).toHaveLength(6)
    for (const [step, min, max, num, sum, count] of found.histograms['weights/lstm_1.weight_ih_l0']) {
      expect([step % 10, num, count]).toEqual([0, 256 * 28, 256 * 28])
      expect(sum / num).toBeGreaterThan(min)
      expect(sum / num).toBeLessThan(max)
    }
  })

  it('has a picture of the confusion matrix', () => {
    const pictures = found.images['validation/confusion']
    expect(pictures).toHaveLength(3)
    const [, width, height, png] = pictures[2]
    const picture = PNG.sync.read(Buffer.from(png, 'base64'))
    expect([width, height, picture.width, picture.height]).toEqual([400, 400, 400, 400])
  })

  it('has the settings to compare runs by', () => {
    expect(found.hparams).toMatchObject({ optimizer: 'SGD', lr: 0.1, batchSize: 64, cell: 'lstm', validation: 0.5 })
    expect([found.compared, found.status]).toEqual([['epoch/trainLoss', 'validation/loss'], 1])
  })

  it('goes on with the steps of a resumed run', async () => {
    await rowwise(['train', '--resume', out, '--epochs', '4', '--tensorboard'])
    expect(readdirSync(join(out, 'tensorboard'))).toHaveLength(2)
    const { stdout } = await promisify(execFile)(python, ['-c', READER, join(out, 'tensorboard')])
    const { scalars } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Found
    expect(scalars['step/loss'].map(([step]) => step)).toEqual(Array.from({ length: 40 }, (_, step) => step + 1))
  })
})

describe.skipIf(!hasTensorBoard())('rowwise sweep export --tensorboard, read by TensorBoard itself', () => {
  it('has the settings of a trial, and its numbers by epoch', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'sweep.json')
    const space = { lr: { choice: [0.001, 0.01] }, cell: { choice: ['gru'] } }
    const sweep = { train: { samples: 640 }, space, search: { type: 'grid' }, epochs: 2 }
    writeFileSync(file, JSON.stringify(sweep))
    const out = join(directory, 'sweep')
    await rowwise(['sweep', file, '--out', out])
    await rowwise(['sweep', 'export', out, '--tensorboard', join(directory, 'events')])
    const { stdout } = await promisify(execFile)(python, ['-c', READER, join(directory, 'events', 'trial-1')])
    const found = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Found
    expect(found.hparams).toEqual({ lr: 0.01, cell: 'gru' })
    expect([found.compared, found.status]).toEqual([['accuracy'], 1])
    expect(found.scalars.accuracy.map(([epoch]) => epoch)).toEqual([1, 2])
  }, 60_000)
})
