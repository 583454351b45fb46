// Times tfjs-layers: its own LSTM, loss and Adam; as it is, or through Rowwise's kernels.
import { type BackendName, selectBackend } from '@rowwise/backend-select'
import { kernelReport } from '@rowwise/rnn-kernels'
import '@rowwise/train-loop' // registers TensorFlow.js's gradients
import { layersSteps } from './layers-steps'
import { readTask, serve } from './serve'

const task = readTask()
const layers = await import('@tensorflow/tfjs-layers')
const backend = await selectBackend({ prefer: (task.backend as BackendName) ?? 'wasm' })
const steps = layersSteps(layers, task)
const by = task.layers?.accelerated ? `, accelerated by ${kernelReport().path} kernels` : ''
await serve({ description: `tfjs-layers ${layers.version_layers}, ${backend.name} backend${by}`, ...steps })
