import type { LinearGradients, LinearOps, LinearShape } from '../../runtime'

/** y = x·Wᵀ + b in plain JavaScript, in float64 inside. */
function forward(
  { rows, inFeatures, outFeatures }: LinearShape,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array | undefined,
  y: Float32Array,
): void {
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outFeatures; o++) {
      let sum = 0
      for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i] * weight[o * inFeatures + i]
      y[row * outFeatures + o] = sum + (bias?.[o] ?? 0)
    }
  }
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ dy. */
function gradients(
  { rows, inFeatures, outFeatures }: LinearShape,
  dY: Float32Array,
  x: Float32Array,
  weight: Float32Array,
  to: LinearGradients,
): void {
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
  to.x.set(dX)
  to.weight.set(dWeight)
  to.bias.set(dBias)
}

/** Linear layers in plain JavaScript. */
export const linear: LinearOps = { forward, gradients }
