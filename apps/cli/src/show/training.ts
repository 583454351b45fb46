import type { Callbacks as AnyCallbacks, EpochEnd } from '@rowwise/train-loop'
import { resumeCommand } from '../run/resume'
import type { RunDirectory } from '../run/run-directory'
import { print, printJson } from './print'
import { duration, Progress } from './progress'
import { type Classified, classified, type classifierMetrics, testLine } from './test-line'

type Metrics = ReturnType<typeof classifierMetrics>
type Callbacks = AnyCallbacks<Metrics>

/** An epoch as the program shows it: the test images after each, as in PyTorch's example. */
function shown({ validation, ...event }: EpochEnd<Metrics>): Omit<EpochEnd, 'validation'> & { test?: Classified } {
  return { ...event, ...(validation && { test: classified(validation) }) }
}

/** Settings, every step's loss and every epoch's numbers; a resumed run goes on where its checkpoint stands. */
export function intoDirectory(run: RunDirectory, config: object): Callbacks {
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
      await run.metrics.add({ type: 'epoch', ...shown(event) })
      await run.metrics.flush()
    },
  }
}

/** For machines. */
export function jsonLines(): Callbacks {
  return {
    onFitBegin({ resumed }) {
      if (resumed) printJson({ type: 'resumed', ...resumed })
    },
    onEpochEnd(event) {
      printJson({ type: 'epoch', ...shown(event) })
    },
  }
}

/**
 * For people: a bar where there is a terminal, and PyTorch's lines after each epoch.
 *
 * @param header what is printed before the first step
 * @param path the run's directory
 */
export function terminal(header: string, samplesPerEpoch: number, path: string): Callbacks {
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
    onEpochEnd(event) {
      const { epoch, epochs, trainLoss, samples, seconds, test } = shown(event)
      progress.stop()
      const rate = Math.round(samples / seconds)
      print(`Epoch ${epoch}/${epochs}: training loss ${trainLoss.toFixed(4)}, ${duration(seconds)}, ${rate} samples/s`)
      if (test) print(testLine(test))
    },
    onFitEnd() {
      progress.stop()
    },
  }
}
