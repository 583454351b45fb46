// Measures how fast one core multiplies and adds with the vectors of the best kernels here: the peak that other figures are compared with.
import { measurePeak } from '@rowwise/rnn-kernels'

process.stdout.write(JSON.stringify({ gflops: measurePeak() ?? 0 }))
