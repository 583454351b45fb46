import { Generator } from '@rowwise/torch-random'
import * as tfc from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-layers'
import { accelerate } from '../src'

/** A layer of tfjs-layers, with what its types keep private. */
export type AnyLayer = ReturnType<typeof tf.layers.lstm> & {
  cell: ReturnType<typeof tf.layers.lstmCell>
  trainableWeights: { read(): tfc.Tensor }[]
}

export const drawn = (seed: number, ...shape: number[]): tfc.Tensor =>
  tfc.tensor(new Generator(seed).uniform(new Float32Array(tfc.util.sizeFromShape(shape)), -1, 1), shape)

/** Initializers whose numbers a seed decides. */
export const seeded = (seed: number) => ({
  kernelInitializer: tf.initializers.glorotUniform({ seed }),
  recurrentInitializer: tf.initializers.glorotUniform({ seed: seed + 1 }),
  biasInitializer: tf.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: seed + 2 }),
})

/** What a model predicts. */
export const output = (model: tf.LayersModel, x: tfc.Tensor) =>
  tfc.tidy(() => (model.predict(x) as tfc.Tensor).dataSync<'float32'>())

/** The largest difference; infinite where there are more or fewer. */
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce(
    (max, value, k) => Math.max(max, Math.abs(value - b[k])),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  )

/** A model of each kind of layer. */
export const classifier = (options: object = {}) =>
  tf.sequential({
    layers: [
      tf.layers.lstm({ units: 8, inputShape: [7, 3], returnSequences: true, ...seeded(1), ...options }),
      tf.layers.bidirectional({ layer: tf.layers.gru({ units: 6, ...seeded(4) }) as never }),
      tf.layers.dense({
        units: 2,
        kernelInitializer: tf.initializers.glorotUniform({ seed: 7 }),
        activation: 'softmax',
      }),
    ],
  })

/** The losses of a few epochs of `fit`. */
export async function losses(model: tf.LayersModel, steps: number): Promise<number[]> {
  model.compile({ optimizer: tfc.train.adam(0.01), loss: 'meanSquaredError' })
  const { history } = await model.fit(drawn(1, 32, 7, 3), drawn(2, 32, 2), {
    epochs: steps / 2,
    batchSize: 16,
    shuffle: false,
    verbose: 0,
  })
  return history.loss as number[]
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** The outputs of a call, and the gradients by the inputs, the states and all weights of what sums them up. */
export function numbersOf(
  layer: AnyLayer,
  x: tfc.Tensor,
  options: { mask?: tfc.Tensor; training?: boolean; initialState?: tfc.Tensor[] } = {},
): Float32Array[] {
  const states = options.initialState ?? []
  const weights = () => layer.trainableWeights.map((weight) => weight.read() as tfc.Variable)
  const forward = (inputs: tfc.Tensor, initialState: tfc.Tensor[]) =>
    listOf(layer.call(inputs, { ...options, ...(initialState.length > 0 && { initialState }) }) as tfc.Tensor[])
  const loss = (inputs: tfc.Tensor, initialState: tfc.Tensor[]) =>
    forward(inputs, initialState)
      .map((output, k) => tfc.sum(tfc.mul(output, drawn(90 + k, ...output.shape))))
      .reduce((a, b) => tfc.add(a, b)) as tfc.Scalar
  return tfc.tidy(() => {
    const outputs = forward(x, states)
    const { grads } = tfc.variableGrads(() => loss(x, states), weights())
    const byInputs = tfc.grads((inputs, ...initial) => loss(inputs, initial))([x, ...states])
    return [...outputs, ...Object.values(grads), ...byInputs].map((tensor) => tensor.dataSync<'float32'>())
  })
}

/**
 * The largest difference between the numbers with and without the kernels, relative to the largest number of an array if
 * that is over 1: a small gradient may be the difference of large sums, and has their rounding error.
 */
export function worst(a: Float32Array[], b: Float32Array[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return Math.max(
    ...a.map((values, k) => {
      const largest = b[k].reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      return values.reduce((max, value, at) => Math.max(max, Math.abs(value - b[k][at])), 0) / largest
    }),
  )
}

/** Does something with the kernels, and says what they ran. */
export function withKernels<T>(work: () => T): { result: T; fused: number; reasons: string } {
  const undo = accelerate(tf)
  try {
    const result = work()
    const report = undo.report()
    return {
      result,
      fused: report.reduce((sum, { fused }) => sum + fused, 0),
      reasons: report.map(({ reason }) => reason).join(),
    }
  } finally {
    undo()
  }
}
