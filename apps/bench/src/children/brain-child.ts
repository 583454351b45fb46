// Times brain.js, as much as it can do of the work: its LSTM takes one sequence at a time, changes its weights after
// each, has as many outputs as inputs, and compares at every step with the next row. A batch is as many sequences. It
// is not a dependency of ours, so it is looked for in the user's directory.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Generator } from '@rowwise/torch-random'
import { readTask, serve } from './serve'

interface Sequence {
  input: number[][]
  output: number[][]
}

/** What is used of it; its types are not installed with us. */
interface Brain {
  recurrent: {
    LSTMTimeStep: new (options: {
      inputSize: number
      hiddenLayers: number[]
      outputSize: number
    }) => {
      train(data: Sequence[], options: { iterations: number; learningRate: number; errorThresh: number }): object
      run(input: number[][]): ArrayLike<number>
    }
  }
}

const task = readTask()
const load = createRequire(join(process.cwd(), 'package.json'))
const { version } = load('brain.js/package.json') as { version: string }
const { recurrent } = load('brain.js') as Brain
const { time, inputSize, hiddenSize, numLayers } = task.network

await serve({
  description: `brain.js ${version}, LSTMTimeStep`,
  async prepare({ kind, batch }) {
    const hiddenLayers = new Array<number>(numLayers).fill(hiddenSize)
    const net = new recurrent.LSTMTimeStep({ inputSize, hiddenLayers, outputSize: inputSize })
    const generator = new Generator(0)
    const row = () => [...generator.uniform(new Float32Array(inputSize))]
    const rows = () => Array.from({ length: time }, row)
    const data = Array.from({ length: batch }, () => ({ input: rows(), output: [row()] }))
    const train = (sequences: Sequence[]) =>
      net.train(sequences, { iterations: 1, learningRate: 0.001, errorThresh: 0 })
    if (kind === 'train') return () => train(data)
    train(data.slice(0, 1)) // makes its weights
    return () => data.map(({ input }) => net.run(input))
  },
})
