/** What can be set, under PyTorch's names. */
export interface Settings {
  /** The recurrent layers' cell. */
  cell: 'lstm' | 'gru' | 'rnn'
  hiddenSize: number
  numLayers: number
  lr: number
  batchSize: number
  epochs: number
  /** In decimal digits, for 64 bits. */
  seed: string
}

/** What the page tells the worker. */
export type Command =
  | { type: 'start'; settings: Settings; dataRoot: string; steps?: number }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'stop' }

/** What the worker tells the page. */
export type Event =
  | { type: 'loading'; file: string; received: number }
  | { type: 'ready'; computedBy: string; notes: string[]; stepsPerEpoch: number }
  | { type: 'steps'; epoch: number; step: number; losses: number[]; samplesPerSecond: number; secondsLeft: number }
  | {
      type: 'epoch'
      epoch: number
      accuracy: number
      loss: number
      confusion: number[][]
      wrong: { pixels: Uint8Array; label: number; prediction: number }[]
      weights: Uint8Array
    }
  /** Without weights when it was stopped before there were any. */
  | { type: 'end'; stopped: boolean; weights?: Uint8Array }
  | { type: 'error'; message: string }
