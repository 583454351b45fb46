import { customGrad, exp, logSoftmax as logSoftmaxOfTensor, mul, sub, sum, type Tensor } from '@tensorflow/tfjs-core'

/**
 * log(softmax(x)) over the last axis, of which gradients of every order can be taken: TensorFlow.js (4.22) takes the gradient from a copy of
 * the result that its outer tape knows nothing of, so the result is computed from x again here.
 */
export function logSoftmax(x: Tensor): Tensor {
  return customGrad((x, save) => {
    ;(save as (saved: Tensor[]) => void)([x as Tensor])
    const gradFunc = (dy: Tensor, [x]: Tensor[]): Tensor => sub(dy, mul(sum(dy, -1, true), softmax(x)))
    return { value: logSoftmaxOfTensor(x as Tensor), gradFunc }
  })(x)
}

function softmax(x: Tensor): Tensor {
  return customGrad((x, save) => {
    ;(save as (saved: Tensor[]) => void)([x as Tensor])
    const gradFunc = (dy: Tensor, [x]: Tensor[]): Tensor => {
      const y = softmax(x)
      const weighted = mul(dy, y)
      return sub(weighted, mul(y, sum(weighted, -1, true)))
    }
    return { value: exp(logSoftmaxOfTensor(x as Tensor)), gradFunc }
  })(x)
}
