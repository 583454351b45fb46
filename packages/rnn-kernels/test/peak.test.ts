import { afterEach, expect, it } from 'vitest'
import { configureKernels, measurePeak } from '../src'
import { builds } from './runtimes'

afterEach(() => {
  configureKernels({})
})

it.each(builds)('the peak of a core in %s is some GFLOP/s', (path) => {
  configureKernels({ path })
  expect(measurePeak()).toBeGreaterThan(0.5)
})

it('plain JavaScript has no peak to be held against', () => {
  configureKernels({ path: 'js' })
  expect(measurePeak()).toBeNull()
})
