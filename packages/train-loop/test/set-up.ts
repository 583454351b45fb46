import { Adam } from '@rowwise/train-loop'
import { SoftmaxRegression } from './softmax-regression'

/** A model and what trains it. */
export const setUp = (lr = 0.1) => {
  const model = new SoftmaxRegression()
  return { model, optimizer: new Adam(model.parameters(), { lr }) }
}
