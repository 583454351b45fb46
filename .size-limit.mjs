// What each library package may weigh, minified, without its dependencies.
const forNode = (config) => ({ ...config, platform: 'node' })

const budget = (name, limit, { file = 'index.js', ignore = [] } = {}) => ({
  name: `${name} (${file})`,
  path: `packages/${name}/dist/${file}`,
  ignore: ['@tensorflow/*', '@rowwise/*', 'env-paths', ...ignore],
  limit,
  brotli: false,
  modifyEsbuildConfig: forNode,
})

export default [
  budget('torch-random', '60 kB'),
  budget('data', '60 kB'),
  budget('data', '60 kB', { file: 'csv.js', ignore: ['papaparse'] }),
  budget('data', '60 kB', { file: 'images.js', ignore: ['pngjs', 'sharp'] }),
  budget('data-mnist', '60 kB', { ignore: ['fflate'] }),
  budget('rnn-kernels', '187 kB'), // eight cells, lookups, few rows and large linear layers in two builds of WASM, 120 kB as text, and in plain JavaScript; what runs native code; Keras's layout; checks
  budget('models-rnn', '81 kB'), // thirteen layers, shared weights, lookups, graphs, three networks, state dicts and safetensors
  budget('train-loop', '92 kB', { ignore: ['./tfjs-gradients.js'] }), // losses, metrics, optimizers, schedules, checkpoints
  // tfjs-core's own gradients, which no entry point of it has; a dependency, but one that we carry.
  budget('train-loop', '45 kB', { file: 'tfjs-gradients.js' }),
  budget('backend-select', '60 kB'),
  budget('tfjs-layers', '60 kB'),
  budget('keras', '60 kB', { ignore: ['./hdf5.js', 'fflate'] }),
  budget('onnx', '220 kB'), // onnx-proto and protobufjs in it
  budget('sweep', '60 kB', { ignore: ['tinypool'] }),
  budget('sweep', '60 kB', { file: 'redis.js', ignore: ['tinypool', 'bullmq', 'ioredis', 's3mini'] }),
]
