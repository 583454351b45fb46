// Times onnxruntime-node's inference on the same network. It is not a dependency of ours, so it is looked for in the user's directory.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Generator } from '@rowwise/torch-random'
import { encodeOnnxLSTMNet } from './onnx-model'
import { readTask, serve } from './serve'

interface OnnxRuntime {
  InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Record<string, { data: unknown }>> }>
  }
  Tensor: new (type: string, data: Float32Array, shape: number[]) => object
  env: { versions: { common: string } }
}

const task = readTask()
const onnx = createRequire(join(process.cwd(), 'package.json'))('onnxruntime-node') as OnnxRuntime
const { time, inputSize } = task.network
const session = await onnx.InferenceSession.create(encodeOnnxLSTMNet(task.network), {
  intraOpNumThreads: task.threads,
  interOpNumThreads: 1,
})

await serve({
  description: `onnxruntime-node ${onnx.env.versions.common}`,
  async prepare({ batch }) {
    const values = new Generator(1).uniform(new Float32Array(batch * time * inputSize), -0.4, 2.8)
    // The operator reads [time, batch, input]; the numbers are noise, so no transposition is timed.
    const feeds = { x: new onnx.Tensor('float32', values, [time, batch, inputSize]) }
    return async () => (await session.run(feeds)).logits.data
  },
})
