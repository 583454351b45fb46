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
}

/** 28 rows of 28 pixels → LSTM(64) → 10 classes. */
export const REFERENCE_NETWORK: NetworkShape = { time: 28, inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10 }

/** What a child process is told when it starts, as JSON in its last argument. */
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
}

/** A turn of a child: it times a workload for so long, and answers with a {@link Slice}. */
export interface Turn {
  workload: Workload
  /** Seconds of measuring, after the warm-up, which comes with a workload's first turn. */
  seconds: number
}

/** What a child measured in a turn; times in milliseconds, each taken after the step's result was read back. */
export interface Slice {
  median: number
  p75: number
  p99: number
  /** Median absolute deviation. */
  mad: number
  /** Steps that were timed. */
  steps: number
  /** Some of their times, for a picture of the distribution. */
  sample: number[]
  /** The very first step of the workload, in its first turn: compilation and allocation included. */
  first?: number
  /** Tensors that the steps left behind. */
  leaked: number
  /** Share of a step that was spent outside of the kernels, where these count it: the median over the steps. */
  outside?: number
}

/** What a child says at its end. */
export interface Farewell {
  /** Peak resident memory in MiB. */
  peakMemory: number
}

export const labelOf = ({ kind, batch }: Workload): string => `${kind} ${batch}`

/** Multiply-adds of the matrix products in one sample's forward pass. */
function forwardWork({ time, inputSize, hiddenSize, numLayers }: NetworkShape): number {
  const layer = (features: number): number => 4 * hiddenSize * (features + hiddenSize)
  return time * (layer(inputSize) + (numLayers - 1) * layer(hiddenSize))
}

/** Multiply-adds of the backward pass: weight gradients as the forward pass, and h̄ for all steps but the last. */
function backwardWork(network: NetworkShape): number {
  const { time, hiddenSize, numLayers } = network
  const recurrent = numLayers * (time - 1) * 4 * hiddenSize * hiddenSize
  const betweenLayers = (numLayers - 1) * time * 4 * hiddenSize * hiddenSize
  return forwardWork(network) + recurrent + betweenLayers
}

/** Floating-point operations of one step of a workload, in the LSTM's matrix products. */
export function flopsOf({ kind, batch }: Workload, network: NetworkShape): number {
  const work = forwardWork(network) + (kind === 'train' ? backwardWork(network) : 0)
  return 2 * batch * work
}
