// Times jax-js: the LSTM unrolled over time (it has no scan), its gradient and Adam in one jitted function. It is not a dependency
// of ours, so it is looked for in the user's directory.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Generator } from '@rowwise/torch-random'
import { readTask, serve } from './serve'

const task = readTask()
const where = createRequire(join(process.cwd(), 'package.json')).resolve('@jax-js/jax')
const { version } = JSON.parse(readFileSync(join(dirname(where), '../package.json'), 'utf8')) as { version: string }
// biome-ignore lint/suspicious/noExplicitAny: its types are not installed with us
const jax: any = await import(pathToFileURL(where).href)
const { numpy: np, nn, tree } = jax
await jax.init('wasm')
jax.defaultDevice('wasm')

const { time, inputSize, hiddenSize, numClasses, numLayers } = task.network
if (numLayers !== 1) throw new Error('the jax-js peer has one layer')
// biome-ignore lint/suspicious/noExplicitAny: as above
type Arrays = Record<'wx' | 'wh' | 'b' | 'wo' | 'bo', any>

const generator = new Generator(0)
const bound = 1 / Math.sqrt(hiddenSize)
const uniform = (shape: number[], from = -bound, to = bound) => {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  return np.array(generator.uniform(values, from, to)).reshape(shape)
}

/** Every array that is passed on is consumed; `.ref` keeps it. */
function forward({ wx, wh, b, wo, bo }: Arrays, x: typeof wx) {
  const projected = np.add(np.matmul(x.reshape([-1, inputSize]), wx), b).reshape([-1, time, 4 * hiddenSize])
  const gate = (z: typeof wx, index: number) => z.slice([], [index * hiddenSize, (index + 1) * hiddenSize])
  let [h, c] = [null, null] as [typeof wx, typeof wx]
  for (let t = 0; t < time; t++) {
    let z = projected.ref.slice([], t)
    if (h) z = z.add(np.matmul(h, wh.ref))
    const i = nn.sigmoid(gate(z.ref, 0))
    const g = np.tanh(gate(z.ref, 2))
    c = c ? nn.sigmoid(gate(z.ref, 1)).mul(c).add(i.mul(g)) : i.mul(g)
    h = nn.sigmoid(gate(z, 3)).mul(np.tanh(c.ref))
  }
  for (const rest of [c, wh, projected]) rest.dispose()
  return np.add(np.matmul(h, wo), bo)
}

const crossEntropy = (parameters: Arrays, x: unknown, y: unknown) =>
  np.mean(np.sum(nn.logSoftmax(forward(parameters, x)).mul(y), -1)).mul(-1)

const names = ['wx', 'wh', 'b', 'wo', 'bo'] as const
const each = (make: (name: (typeof names)[number]) => unknown): Arrays =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Arrays

/** Adam without bias correction by step, whose cost is that of an elementwise product. */
const trainStep = jax.jit((parameters: Arrays, m: Arrays, v: Arrays, x: unknown, y: unknown) => {
  const [loss, gradients] = jax.valueAndGrad(crossEntropy)(tree.ref(parameters), x, y)
  const mNext = each((name) => m[name].mul(0.9).add(gradients[name].ref.mul(0.1)))
  const vNext = each((name) => v[name].mul(0.999).add(np.square(gradients[name]).mul(0.001)))
  const next = each((name) => parameters[name].sub(mNext[name].ref.div(np.sqrt(vNext[name].ref).add(1e-8)).mul(1e-3)))
  return [loss, next, mNext, vNext]
})
const predictStep = jax.jit(forward)

await serve({
  description: `jax-js ${version}, wasm device`,
  async prepare({ kind, batch }) {
    const shapes = {
      wx: [inputSize, 4 * hiddenSize],
      wh: [hiddenSize, 4 * hiddenSize],
      b: [4 * hiddenSize],
      wo: [hiddenSize, numClasses],
      bo: [numClasses],
    }
    let parameters = each((name) => uniform(shapes[name]))
    let [m, v] = [each((name) => np.zeros(shapes[name])), each((name) => np.zeros(shapes[name]))]
    const x = uniform([batch, time, inputSize], -0.4, 2.8)
    if (kind === 'predict') return () => predictStep(tree.ref(parameters), x.ref).data()
    const labels = Int32Array.from({ length: batch }, (_, index) => index % numClasses)
    const y = nn.oneHot(np.array(labels, { dtype: np.int32 }), numClasses)
    return async () => {
      const [loss, ...state] = trainStep(parameters, m, v, x.ref, y.ref)
      ;[parameters, m, v] = state
      await jax.blockUntilReady(state)
      return loss.data()
    }
  },
})
