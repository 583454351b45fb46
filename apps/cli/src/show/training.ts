import type { Callbacks } from '@rowwise/train-loop'
import type { RunDirectory } from '../run/run-directory'
import { print, printJson } from './print'
import { duration, Progress } from './progress'
import { testLine } from './test-line'

/** Every step's loss and every epoch's numbers, a JSON object a line; a resumed run goes on where its checkpoint stands. */
export function metricsInto(run: RunDirectory): Callbacks {
  return {
    onFitBegin({ resumed }) {
      run.keepMetrics(({ type, epoch = 0, batch = 0 }) => {
        if (!resumed || epoch > resumed.epoch) return false
        return epoch < resumed.epoch || (type === 'step' && batch <= resumed.batch)
      })
    },
    onBatchEnd({ epoch, batch, loss }) {
      run.addMetrics({ type: 'step', epoch, batch, loss: loss() })
    },
    onCheckpoint() {
      run.sync()
    },
    onEpochEnd(event) {
      run.addMetrics({ type: 'epoch', ...event })
      run.flush()
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
      printJson({ type: 'epoch', ...event })
    },
  }
}

/** For people: a bar where there is a terminal, and PyTorch's lines after each epoch. */
export function terminal(samplesPerEpoch: number): Callbacks {
  const progress = new Progress()
  return {
    onFitBegin({ resumed }) {
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
    onBatchEnd({ samples, meanLoss }) {
      if (progress.visible) progress.update(samples, samplesPerEpoch, meanLoss())
    },
    onEpochEnd({ epoch, epochs, trainLoss, samples, seconds, test }) {
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
