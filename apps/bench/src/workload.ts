/** One thing to time: a training step or a prediction of the network, at one batch size. */
export interface Workload {
  kind: 'train' | 'predict'
  /** Samples per step. */
  batch: number
}

/** The network that is timed. */
export interface NetworkShape {
  time: number
  inputSize: number
  hiddenSize: number
  numLayers: number
  numClasses: number
  /** @default 'lstm' */
  cell?: 'lstm' | 'gru'
  /** Read in both directions, to the final state of each. @default false */
  bidirectional?: boolean
  /** Rows of half as many steps up to all of them. @default false */
  lengths?: boolean
  /**
   * A language model: characters of so many, embedded in `inputSize` features, and a class for each step.
   * @default none
   */
  vocabulary?: number
}

/** 28 rows of 28 pixels → LSTM(64) → 10 classes. */
export const REFERENCE_NETWORK: NetworkShape = { time: 28, inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10 }

/** What a child process gets when it starts, as JSON in its last argument. */
export interface ChildTask {
  network: NetworkShape
  /** Threads to compute on. */
  threads: number
  /** Read the pixels in a fixed random order. */
  permuted?: boolean
  /** Backend of TensorFlow.js, where it matters. */
  backend?: string
  /** Kernel path of Rowwise, where it matters. */
  kernels?: string
  /**
   * A network of tf.layers: as it is, or accelerated; trained by `fit`, a step being one of its batches, or by
   * `trainOnBatch`.
   */
  layers?: { accelerated: boolean; fit: boolean }
}

/** What a child is asked for: time this workload for so long. It answers with {@link StepTimes}. */
export interface TimingRequest {
  workload: Workload
  /** Seconds of measuring, after the warm-up of a workload's first run. */
  seconds: number
}

/** What a child measured in one run; milliseconds, each taken after the step's result was read back. */
export interface StepTimes {
  median: number
  p75: number
  p99: number
  /** Median absolute deviation. */
  mad: number
  /** Steps that were timed. */
  steps: number
  /** Some of their times, for a picture of the distribution. */
  sample: number[]
  /** The very first step of the workload, in its first run: compilation and allocation included. */
  first?: number
  /** Tensors that the steps left behind. */
  leaked: number
  /** Median share of a step outside of the kernels, where these count their time. */
  outside?: number
  /** Median share of a training step that waits for its batch, where there is a loader. */
  loader?: number
}

/** The last message of a child. */
export interface FinalMessage {
  /** Peak resident memory in MiB. */
  peakMemory: number
}

export const labelOf = ({ kind, batch }: Workload): string => `${kind} ${batch}`

const gatesOf = ({ cell }: NetworkShape): number => (cell === 'gru' ? 3 : 4)

const directionsOf = ({ bidirectional }: NetworkShape): number => (bidirectional ? 2 : 1)

/** Multiply-adds of the matrix products in one sample's forward pass. */
function forwardWork(network: NetworkShape): number {
  const { time, inputSize, hiddenSize, numLayers } = network
  const layer = (features: number): number => gatesOf(network) * hiddenSize * (features + hiddenSize)
  return time * directionsOf(network) * (layer(inputSize) + (numLayers - 1) * layer(hiddenSize * directionsOf(network)))
}

/** Multiply-adds of the backward pass: weight gradients as the forward pass, and h̄ for all steps but the last. */
function backwardWork(network: NetworkShape): number {
  const { time, hiddenSize, numLayers } = network
  const matrix = directionsOf(network) * gatesOf(network) * hiddenSize * hiddenSize
  const recurrent = numLayers * (time - 1) * matrix
  const betweenLayers = (numLayers - 1) * time * matrix * directionsOf(network)
  return forwardWork(network) + recurrent + betweenLayers
}

/** Steps of each row of a batch with lengths: from half of all to all of them. */
export function lengthsOf(batch: number, time: number): number[] {
  const half = Math.floor(time / 2)
  return Array.from({ length: batch }, (_, row) => half + ((row * 11) % (time - half + 1)))
}

/**
 * Floating-point operations of one step of a workload, in the recurrent layers' matrix products; of rows with lengths,
 * as if all were whole.
 */
export function flopsOf({ kind, batch }: Workload, network: NetworkShape): number {
  const work = forwardWork(network) + (kind === 'train' ? backwardWork(network) : 0)
  return 2 * batch * work
}
