import type { LinearGradients, LinearOps, LinearShape } from '../../runtime'

/** y = x·Wᵀ + b in plain JavaScript, in float64 inside. */
function forward(
  { rows, inFeatures, outFeatures }: LinearShape,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | undefined,
): Float32Array {
  const y = new Float32Array(rows * outFeatures)
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outFeatures; o++) {
      let sum = 0
      for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i] * weight[o * inFeatures + i]
      y[row * outFeatures + o] = sum + (bias?.[o] ?? 0)
    }
  }
  return y
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ dy. */
function gradients(
  { rows, inFeatures, outFeatures }: LinearShape,
  dY: Float32Array,
  x: Float32Array,
  weight: Float32Array,
): LinearGradients {
  const dX = new Float64Array(x.length)
  const dWeight = new Float64Array(weight.length)
  const dBias = new Float64Array(outFeatures)
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outFeatures; o++) {
      const dy = dY[row * outFeatures + o]
      dBias[o] += dy
      for (let i = 0; i < inFeatures; i++) {
        dX[row * inFeatures + i] += dy * weight[o * inFeatures + i]
        dWeight[o * inFeatures + i] += dy * x[row * inFeatures + i]
      }
    }
  }
  return { x: Float32Array.from(dX), weight: Float32Array.from(dWeight), bias: Float32Array.from(dBias) }
}

/** Linear layers in plain JavaScript. */
export const linear: LinearOps = { forward, gradients }
