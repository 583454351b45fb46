import type { Cell, GateActivation } from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import type { Variable } from '@tensorflow/tfjs-core'
import type { WEIGHTS } from './parameters'

/** The weights of one direction of one layer, and their names in the state dict. */
export interface Direction {
  readonly named: readonly { key: (typeof WEIGHTS)[number][0]; name: string; weight: Variable }[]
  readonly weights: Readonly<Record<'weightIh' | 'weightHh', Variable>> &
    Readonly<Partial<Record<'biasIh' | 'biasHh' | 'weightHr', Variable>>>
}

/** The state of one direction of one layer, `[N, H]` each; c of an LSTM only. */
export interface DirectionState<Value> {
  h: Value
  c?: Value
}

/** How one direction of one layer is computed. */
export interface DirectionOptions<Value> {
  cell: Cell
  gateActivation: GateActivation
  reverse: boolean
  lengths: Int32Array | undefined
  initial: DirectionState<Value> | undefined
  returnOutput: boolean
}

/** What recurrent layers compute with: tensors that TensorFlow.js's tape differentiates, or arrays that a trace does. */
export interface Machine<Value> {
  /** One direction of one layer: `output` [N, T, H] where it is wanted, and the final state. */
  run(inputs: Value, direction: Direction, options: DirectionOptions<Value>): DirectionState<Value> & { output?: Value }
  /** Side by side along the last axis. */
  join(values: Value[]): Value
  /** Zeroes each element with probability p, and scales the rest by 1/(1−p). */
  drop(inputs: Value, p: number, generator: Generator): Value
  /** The last step of each row, `[N, 1, F]`. */
  lastStep(inputs: Value, lengths: Int32Array | undefined): Value
}

/** What is wanted of the last layer: all steps, the last step of the output, or the final hidden state. */
export type Picked = 'output' | 'last' | 'final'

/** What {@link compose} is told beside the inputs. */
export interface ComposeOptions<Value> {
  cell: Cell
  gateActivation: GateActivation
  /** Layers, each with its directions. */
  layers: readonly (readonly Direction[])[]
  /** Probability of dropout between two layers; 0 in evaluation. */
  dropout: number
  generator: Generator
  lengths: Int32Array | undefined
  /** The state before the first step of each layer and direction, in PyTorch's order. */
  initial: readonly DirectionState<Value>[] | undefined
  picked: Picked
}

/**
 * Layers of a recurrent network one upon the other, as PyTorch stacks them: layer l reads the outputs of layer l − 1, both directions side by
 * side, after dropout.
 *
 * @returns what was picked of the last layer, directions side by side, and the final state of every layer and direction
 */
export function compose<Value>(
  machine: Machine<Value>,
  inputs: Value,
  { cell, gateActivation, layers, dropout, generator, lengths, initial, picked }: ComposeOptions<Value>,
): { value: Value; finals: DirectionState<Value>[] } {
  const finals: DirectionState<Value>[] = []
  let value = inputs
  layers.forEach((directions, layer) => {
    const read = layer > 0 && dropout > 0 ? machine.drop(value, dropout, generator) : value
    const isLast = layer === layers.length - 1
    const returnOutput = !isLast || picked === 'output'
    const sides = directions.map((direction, side) => {
      // The backward direction comes to a row's last step first, so for that step's output it takes one step.
      const isOneStep = isLast && picked === 'last' && side === 1
      return machine.run(isOneStep ? machine.lastStep(read, lengths) : read, direction, {
        cell,
        gateActivation,
        reverse: side === 1,
        lengths: isOneStep ? undefined : lengths,
        initial: initial?.[finals.length + side],
        returnOutput,
      })
    })
    finals.push(...sides)
    value = machine.join(sides.map(({ output, h }) => (returnOutput ? (output as Value) : h)))
  })
  return { value, finals }
}
