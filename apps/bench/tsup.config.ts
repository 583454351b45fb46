import { defineConfig } from 'tsup'
import { program } from '../../tsup.preset'

// The children are programs of their own, which the benchmark starts one at a time.
const entry = {
  'rowwise-bench': 'src/rowwise-bench.ts',
  'subjects/rowwise-child': 'src/subjects/rowwise-child.ts',
  'subjects/tfjs-layers-child': 'src/subjects/tfjs-layers-child.ts',
  'subjects/onnxruntime-child': 'src/subjects/onnxruntime-child.ts',
}

export default defineConfig({ ...program({ entry, external: ['@tensorflow/tfjs-layers'] }), splitting: true })
