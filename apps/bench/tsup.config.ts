import { defineConfig } from 'tsup'
import { program } from '../../tsup.preset'

// The children are programs of their own, which the benchmark starts.
const children = ['rowwise', 'tfjs-layers', 'onnxruntime', 'jax', 'peak', 'probe', 'curve']
const entry = {
  'rowwise-bench': 'src/rowwise-bench.ts',
  ...Object.fromEntries(children.map((name) => [`children/${name}-child`, `src/children/${name}-child.ts`])),
}

export default defineConfig({ ...program({ entry, external: ['@tensorflow/tfjs-layers'] }), splitting: true })
