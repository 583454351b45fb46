import { DataLoader as AnyLoader } from '@rowwise/data'
import { DataLoader, normalize } from '@rowwise/data-mnist'
import { testModel } from '@rowwise/train-loop'
import type { CommonFlags } from '../options'
import { startBackend } from '../run/prepare'
import { lossOf } from '../run/recipe'
import { seriesInUse } from '../run/series-in-use'
import { forecast, forecastLine, forecastMetrics, testedWindows } from '../run/series-task'
import { imagesOf, loadTestImages, type UseFlags } from '../run/weights-and-data'
import { loadWeights } from '../run/weights-file'
import { print, printJson } from '../show/print'
import { classified, classifierMetrics, testLine } from '../show/test-line'

/** The flags of `rowwise test`. */
export interface TestFlags extends CommonFlags, UseFlags {
  batchSize: number
}

/** `rowwise test`: how well saved weights classify the test images, or forecast a time series. */
export async function test(flags: TestFlags): Promise<void> {
  const { name: backend } = await startBackend(flags)
  const loaded = await loadWeights(flags)
  const { weights, batchSize } = flags
  const series = await seriesInUse(flags, loaded)
  if (series) {
    const windows = testedWindows(series.table, series.facts)
    const result = await testModel(series.model, new AnyLoader(windows, { batchSize }), {
      loss: lossOf({ loss: series.facts.loss, csv: flags.csv }),
      metrics: forecastMetrics(),
    })
    if (flags.json) printJson({ weights, backend, ...forecast(result, series.facts) })
    else print(forecastLine('Test set', result, series.facts))
    return
  }
  const inUse = imagesOf(flags, loaded)
  const images = await loadTestImages(flags, inUse)
  const { mean, std } = inUse.preprocessing
  const loader = new DataLoader(images, { batchSize, transform: normalize(mean, std) })
  const result = classified(await testModel(inUse.model, loader, { metrics: classifierMetrics() }))
  if (flags.json) printJson({ weights, backend, ...result, accuracy: result.correct / result.total })
  else print(testLine(result))
}
