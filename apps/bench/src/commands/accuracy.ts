import { selectBackend } from '@rowwise/backend-select'
import { DataLoader, loadMnist, normalize, VARIANTS } from '@rowwise/data-mnist'
import { describeRecurrent, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, accuracy as accuracyMetric, fit } from '@rowwise/train-loop'
import { commandLine, describeMachine } from '../measure/machine'
import { renderTable } from '../show/table'

/** The flags of `rowwise-bench accuracy`. */
export interface AccuracyFlags {
  target: number
  seeds: number
  maxEpochs: number
  json?: boolean
}

/** One seed's training. */
interface SeedRun {
  seed: number
  seconds: number
  epochs: number
  accuracy: number
  reached: boolean
}

/** `rowwise-bench accuracy`: seconds of training and evaluation until the target, by MLPerf's rule. */
export async function accuracy(flags: AccuracyFlags): Promise<void> {
  const { name } = await selectBackend()
  const data = await loadMnist()
  const runs: SeedRun[] = []
  const report = (run: SeedRun): void => {
    runs.push(run)
    if (flags.json) return
    const { seed, seconds, epochs, accuracy: found, reached } = run
    process.stdout.write(
      `seed ${seed}: ${seconds.toFixed(2)} s, ${epochs} epochs, ${(100 * found).toFixed(2)} %${reached ? '' : ', target not reached'}\n`,
    )
  }
  for (let seed = 0; seed < flags.seeds; seed++) report(await train(seed, flags, data))
  const mean = olympicMean(runs)
  const computedBy = `${name}, ${describeRecurrent()}`
  if (flags.json) {
    const report = {
      schema: 1,
      command: commandLine(),
      machine: describeMachine(),
      computedBy,
      target: flags.target,
      runs,
      mean,
    }
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  const row = mean
    ? [mean.seconds.toFixed(2), mean.epochs.toFixed(1), String(mean.counted)]
    : ['-', '-', 'no mean: a seed missed the target, or there are fewer than 3']
  const table = renderTable(
    [`to ${100 * flags.target} %, ${computedBy}`, 'seconds', 'epochs', 'seeds'],
    [['fastest and slowest dropped, mean of the rest', ...row]],
  )
  process.stdout.write(`${table}\nmade by: ${commandLine()}\n`)
}

async function train(
  seed: number,
  { target, maxEpochs }: AccuracyFlags,
  data: Awaited<ReturnType<typeof loadMnist>>,
): Promise<SeedRun> {
  const { mean, std } = VARIANTS.mnist
  const transform = normalize(mean, std)
  const generator = new Generator(seed)
  const model = new LSTMNet({ generator })
  const began = performance.now()
  let best = 0
  const { history } = await fit(model, {
    optimizer: new Adam(model.parameters()),
    train: new DataLoader(data.train, { batchSize: 64, shuffle: true, generator, transform }),
    validation: new DataLoader(data.test, { batchSize: 1000, transform }),
    metrics: { accuracy: accuracyMetric() },
    epochs: maxEpochs,
    callbacks: [
      {
        onEpochEnd({ validation }, control) {
          best = validation?.metrics.accuracy ?? 0
          if (best >= target) control.stop()
        },
      },
    ],
  })
  model.dispose()
  return {
    seed,
    seconds: (performance.now() - began) / 1000,
    epochs: history.length,
    accuracy: best,
    reached: best >= target,
  }
}

/** MLPerf's rule: every run must reach the target; the fastest and the slowest don't count. */
export function olympicMean(runs: readonly SeedRun[]): { seconds: number; epochs: number; counted: number } | null {
  if (runs.length < 3 || runs.some(({ reached }) => !reached)) return null
  const middle = [...runs].sort((a, b) => a.seconds - b.seconds).slice(1, -1)
  const mean = (field: 'seconds' | 'epochs'): number => middle.reduce((sum, run) => sum + run[field], 0) / middle.length
  return { seconds: mean('seconds'), epochs: mean('epochs'), counted: middle.length }
}
