import type { LinearOps } from '../../runtime'

/** y = x·Wᵀ + b in plain JavaScript, in float64 inside. */
const forward: LinearOps['forward'] = ({ rows, inFeatures, outFeatures }, x, weight, bias, y) => {
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outFeatures; o++) {
      let sum = 0
      for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i] * weight[o * inFeatures + i]
      y[row * outFeatures + o] = sum + (bias?.[o] ?? 0)
    }
  }
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ dy. */
const gradients: LinearOps['gradients'] = ({ rows, inFeatures, outFeatures }, dY, x, weight, to) => {
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
