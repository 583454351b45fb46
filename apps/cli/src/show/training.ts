import type { Callbacks, EpochEnd, Metrics } from '@rowwise/train-loop'
import { resumeCommand } from '../run/resume'
import type { RunDirectory } from '../run/run-directory'
import type { Task } from '../run/task'
import { print, printJson } from './print'
import { duration, Progress } from './progress'

/** How an evaluation is shown, and what of: the test images after each epoch, as in PyTorch's example, or a validation. */
type Shown<M extends Metrics> = Pick<Task<M>, 'shown' | 'line'> & { evaluated: string }

/** An epoch for machines. */
function epochOf<M extends Metrics>({ validation, ...event }: EpochEnd<M>, { shown, evaluated }: Shown<M>): object {
  if (!validation) return event
  return { ...event, [evaluated === 'Test set' ? 'test' : 'validation']: shown(validation) }
}

/** Settings, every step's loss and every epoch's numbers; a resumed run goes on where its checkpoint stands. */
export function intoDirectory<M extends Metrics>(run: RunDirectory, config: object, shown: Shown<M>): Callbacks<M> {
  return {
    // The loop has accepted the run by now: what it refuses changes nothing.
    async onFitBegin({ resumed }) {
      await run.begin(config, ({ type, epoch = 0, batch = 0 }) => {
        if (!resumed || epoch > resumed.epoch) return false
        return epoch < resumed.epoch || (type === 'step' && batch <= resumed.batch)
      })
    },
    async onBatchEnd({ epoch, batch, loss }) {
      await run.metrics.add({ type: 'step', epoch, batch, loss: await loss() })
    },
    onCheckpoint({ step }) {
      return step === 0 ? undefined : run.metrics.sync()
    },
    async onEpochEnd(event) {
      await run.metrics.add({ type: 'epoch', ...epochOf(event, shown) })
      await run.metrics.flush()
    },
  }
}

/** The data's share of the time is said from so many percent on. */
const SHOWN_SHARE = 20

/** For machines. */
export function jsonLines<M extends Metrics>(shown: Shown<M>): Callbacks<M> {
  return {
    onFitBegin({ resumed }) {
      if (resumed) printJson({ type: 'resumed', ...resumed })
    },
    onEpochEnd(event) {
      printJson({ type: 'epoch', ...epochOf(event, shown) })
    },
  }
}

/**
 * For people: a bar where there is a terminal, and PyTorch's lines after each epoch.
 *
 * @param header what is printed before the first step
 * @param path the run's directory
 */
export function terminal<M extends Metrics>(
  header: string,
  samplesPerEpoch: number,
  path: string,
  { line, evaluated }: Shown<M>,
): Callbacks<M> {
  const progress = new Progress()
  return {
    onFitBegin({ epochs, history, resumed }) {
      print(header)
      if (history.length >= epochs) {
        print(`this run has all of its ${epochs} epochs; to go on: ${resumeCommand(path)} --epochs ${epochs + 10}`)
        return
      }
      print(`if it is interrupted: ${resumeCommand(path)}`)
      if (!resumed) return
      const { epoch, batch, computedBy, skipped } = resumed
      for (const reason of skipped) print(`passed over a damaged checkpoint: ${reason}`)
      print(`resumed at epoch ${epoch}, step ${batch}`)
      if (computedBy.before === computedBy.now) return
      print(
        `computed by ${computedBy.before} before, by ${computedBy.now} now: a step's loss agrees within 1e-5, not bit for bit`,
      )
    },
    onEpochBegin({ epoch, epochs, samples }) {
      progress.start(`Epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`, samplesPerEpoch, samples)
    },
    async onBatchEnd({ samples, meanLoss }) {
      if (progress.visible) progress.update(samples, samplesPerEpoch, await meanLoss())
    },
    onEpochEnd({ epoch, epochs, trainLoss, samples, seconds, dataSeconds, validation }) {
      progress.stop()
      const rate = Math.round(samples / seconds)
      const share = Math.round((100 * dataSeconds) / seconds)
      const data = share >= SHOWN_SHARE ? `, ${share} % of it for the data` : ''
      print(
        `Epoch ${epoch}/${epochs}: training loss ${trainLoss.toFixed(4)}, ${duration(seconds)}, ${rate} samples/s${data}`,
      )
      if (validation) print(line(evaluated, validation))
    },
    onFitEnd() {
      progress.stop()
    },
  }
}
