import { TensorDataset } from '@rowwise/data'

/** Samples 0, 1, 2, … of a number each. */
export const numbers = (length: number) =>
  new TensorDataset({
    inputs: { data: Float32Array.from({ length }, (_, n) => n), shape: [length] },
    targets: { data: new Int32Array(length), shape: [length] },
  })
